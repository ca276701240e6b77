"""`python -m memferry` is the command line."""

from memferry.cli import main

main()

"""Imports: files of others and of ours become memories, each once, with its own times."""

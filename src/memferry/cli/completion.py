"""`memferry completion`: the script with which a shell completes commands and options."""

from enum import Enum
from typing import Annotated

import typer

app = typer.Typer()


class Shell(Enum):
    """The shells that are known."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


@app.command()
def completion(shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")]) -> None:
    """Print the script that lets a shell complete commands and options.

    The line goes into ~/.bashrc, into ~/.zshrc after compinit, or is run once for fish.
    Examples: eval "$(memferry completion bash)"; eval "$(memferry completion zsh)";
    memferry completion fish > ~/.config/fish/completions/memferry.fish
    """
    # Typer shows it for the shell it runs in alone, and asks for that by another package.
    from typer._completion_shared import get_completion_script

    script = get_completion_script(
        prog_name="memferry", complete_var="_MEMFERRY_COMPLETE", shell=shell.value
    )
    print(script)

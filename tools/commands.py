"""Writes the reference of the command line into docs/commands.md, for `./run commands`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from memferry.cli import app

PAGE = Path(__file__).parents[1] / "docs/commands.md"
MARK = "<!-- From here on this page is made of the commands' own help: ./run commands -->\n"


def describe_commands() -> str:
    """The reference: every command with its help, its arguments and its options."""
    parts = [
        _describe(name, command) for name, command in list_commands(get_command(app), "memferry")
    ]
    return "\n".join(parts)


def list_commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its whole name."""
    if inner := getattr(command, "commands", None):
        for name, child in inner.items():
            yield from list_commands(child, f"{path} {name}")
    else:
        yield path, command


def _describe(name: str, command: Any) -> str:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    words = [name, *(_name_argument(argument) for argument in arguments)]
    rows = "".join(
        f"| `{_name(parameter)}` | {_clean(parameter.help or '')} |\n"
        for parameter in shown
        if parameter.name != "help"
    )
    table = f"\n| argument | meaning |\n| --- | --- |\n{rows}" if rows else ""
    return f"### {' '.join(words)}\n\n{_describe_help(command.help)}\n{table}"


def _describe_help(text: str) -> str:
    """The help of a command as paragraphs, and its examples as code."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    *before, examples = [*re.split(r" ?Examples?: ", "\n\n".join(paragraphs)), ""][:2]
    code = "\n".join(f"    {example}" for example in examples.split("; ") if example)
    return "\n\n".join(part for part in (*before, code) if part)


def _name(parameter: Any) -> str:
    """An option with its names and the value it takes, or an argument."""
    if parameter.param_type_name == "argument":
        return _name_argument(parameter)
    names = ", ".join((*parameter.opts, *parameter.secondary_opts))
    if parameter.is_flag:
        return names
    value = parameter.metavar or parameter.opts[-1].lstrip("-").upper()
    return f"{names} {value}"


def _name_argument(argument: Any) -> str:
    name: str = argument.metavar or argument.name.upper()
    return name


def _clean(text: str) -> str:
    """The help of an option as the cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the reference behind the mark; what stands before it stays."""
    head, _, _ = PAGE.read_text().partition(MARK)
    PAGE.write_text(f"{head}{MARK}\n{describe_commands()}")


if __name__ == "__main__":
    main()

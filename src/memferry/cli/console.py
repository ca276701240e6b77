"""How commands print: text of users is shown as it is, and never read as markup."""

from rich.console import Console


def make_console(*, stderr: bool = False) -> Console:
    """A console that prints brackets and colons of a text as they are."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def show_name(name: str) -> str:
    """A name on one line of a terminal: what is not printable is shown as U+FFFD.

    An escape sequence in a name could move the cursor or set the title of the operator's terminal.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)

"""The same export as a shell and a program ask for it, ready to copy; never with the token."""

import shlex
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from memferry.filters import FILTERS

_TOKEN = "MEMFERRY_TOKEN"  # noqa: S105 - the name of a variable
_SHELL_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_OPTIONS = {filter_.field: filter_.option for filter_ in FILTERS if filter_.option}


def write_curl(service: str, body: Mapping[str, Any]) -> str:
    """A call of curl, for any POSIX shell."""
    return (
        f"curl -sS {shlex.quote(f'{service}/api/memories/exports')} \\\n"
        f'     -H "Authorization: Bearer ${_TOKEN}" \\\n'
        "     -H 'Content-Type: application/json' \\\n"
        f"     --data-raw {shlex.quote(_write_json(body))}"
    )


def write_command(service: str, body: Mapping[str, Any]) -> str:
    """A call of `memferry export`; in bash or zsh if a value holds control characters."""
    words = [word for name, value in body.items() for word in _list_words(name, value)]
    lines = [f"MEMFERRY_URL={quote_word(service)} memferry export", *map(quote_word, words)]
    return " \\\n    ".join(lines)


def write_python(service: str, body: Mapping[str, Any]) -> str:
    """A program that saves the export into the current folder."""
    metadata = any(isinstance(value, Raw) for value in body.values())
    arguments = "".join(f"        {name}={_write_value(value)},\n" for name, value in body.items())
    return (
        "import os\n\n"
        + ("from msgspec import Raw\n" if metadata else "")
        + "from memferry.client import Client\n\n"
        f'with Client({service!r}, os.environ["{_TOKEN}"]) as client:\n'
        f"    export = client.exports.create(\n{arguments}    )\n"
        '    print(export.download("."))'
    )


def quote_word(word: str) -> str:
    """Quote a word for a shell; one with control characters so that no terminal acts on them.

    `$'...'` is of POSIX.1-2024; bash and zsh have had it for long.
    """
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_escape, word)) + "'"


def _escape(character: str) -> str:
    if character in _SHELL_ESCAPES:
        return _SHELL_ESCAPES[character]
    if character.isprintable():
        return character
    # Octal, since hexadecimal digits that follow would belong to the escape.
    return "".join(f"\\{byte:03o}" for byte in character.encode())


def _list_words(name: str, value: Any) -> list[str]:
    """The option as single words: a value may begin with a dash."""
    option = f"--{_OPTIONS.get(name, name).replace('_', '-')}"
    if value is True:
        return [option]
    if isinstance(value, Raw):
        return [f"{option}={_escape_json(bytes(value).decode())}"]
    if name in {"fields", "include"}:
        return [f"{option}={','.join(value)}"]
    return [f"{option}={item}" for item in (value if isinstance(value, list) else [value])]


def _write_value(value: Any) -> str:
    return f"Raw({bytes(value)!r})" if isinstance(value, Raw) else repr(value)


def _write_json(body: Mapping[str, Any]) -> str:
    return _escape_json(msgspec.json.encode(body).decode())


def _escape_json(text: str) -> str:
    """JSON text in which control characters, and others that nobody sees, are escaped."""
    return "".join(
        character if character.isprintable() else _escape_utf16(character) for character in text
    )


def _escape_utf16(character: str) -> str:
    if character in "\n\r\t":
        return " "  # between values; inside of strings they are escaped already
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

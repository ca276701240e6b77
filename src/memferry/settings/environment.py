"""Declarations of settings, and their reading from environment variables.

A setting X may also be given as X_FILE, the path of a file that holds the value (for secrets).
All faults are reported together, so that one failed start shows everything there is to mend.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from memferry.errors import Misconfigured

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Group = TypeVar("_Group", bound="DataclassInstance")


def declare(name: str, parse: Callable[[str], Any], default: Any, meaning: str) -> Any:
    """Declare a field of a group with its environment variable; `default` may be a function."""
    metadata = {"name": name, "parse": parse, "meaning": meaning}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def declare_group(kind: "type[DataclassInstance]") -> Any:
    """Declare a field that is a group of settings itself."""
    return field(default_factory=kind, metadata={"group": kind})


def list_settings(kind: "type[DataclassInstance]") -> Iterator[Field[Any]]:
    """List the settings of a group and the groups in it; a setting of two groups comes twice."""
    for declared in fields(kind):
        if "group" in declared.metadata:
            yield from list_settings(declared.metadata["group"])
        else:
            yield declared


def read_group(kind: type[_Group], environment: Mapping[str, str]) -> _Group:
    """Read a group and the groups in it; raises Misconfigured with one line per fault."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for declared in list_settings(kind):
        name = declared.metadata["name"]
        try:
            text = _find_text(environment, name)
            if text is not None:
                values[name] = declared.metadata["parse"](text)
        except (ValueError, OSError) as fault:
            faults[name] = f"{name}: {fault}"
    if faults:
        raise Misconfigured("\n".join(faults.values()))
    return _fill(kind, values)


def _find_text(environment: Mapping[str, str], name: str) -> str | None:
    """Find the text of a setting in X or in the file that X_FILE names; empty means unset."""
    if environment.get(f"{name}_FILE"):
        if environment.get(name):
            raise ValueError(f"give {name} or {name}_FILE, not both")
        return Path(environment[f"{name}_FILE"]).read_text(encoding="utf-8").strip() or None
    return environment.get(name) or None


def _fill(kind: type[_Group], values: Mapping[str, Any]) -> _Group:
    arguments: dict[str, Any] = {}
    for declared in fields(kind):
        if "group" in declared.metadata:
            arguments[declared.name] = _fill(declared.metadata["group"], values)
        elif declared.metadata["name"] in values:
            arguments[declared.name] = values[declared.metadata["name"]]
    return kind(**arguments)

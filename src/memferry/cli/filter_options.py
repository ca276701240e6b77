"""The filters of exports as options of a command, each from its own declaration."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Raw

from memferry.cli.times import read_epoch_ms
from memferry.errors import Invalid
from memferry.filters import FILTERS, Filter


def add_filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take one option per filter; it gets their texts as `**filters`."""
    own = [
        parameter
        for parameter in signature(command).parameters.values()
        if parameter.kind is not Parameter.VAR_KEYWORD
    ]
    options = [
        Parameter(
            filter_.field, Parameter.KEYWORD_ONLY, default=None, annotation=_annotate(filter_)
        )
        for filter_ in FILTERS
    ]
    # Typer reads the signature, as any caller of inspect.signature.
    command.__signature__ = signature(command).replace(parameters=[*own, *options])  # type: ignore[attr-defined]  # undeclared
    return command


def read_filters(texts: Mapping[str, Any]) -> dict[str, object]:
    """The filters for the body of a request; raises Invalid, which names the option."""
    return {filter_.field: _read(filter_, texts[filter_.field]) for filter_ in FILTERS}


def _annotate(filter_: type[Filter]) -> Any:
    type_ = list[str] if filter_.type == list[str] else str
    return Annotated[type_ | None, typer.Option(_name_option(filter_), help=filter_.help)]


def _name_option(filter_: type[Filter]) -> str:
    return f"--{filter_.option or filter_.field.replace('_', '-')}"


def _read(filter_: type[Filter], text: Any) -> object:
    if not text:
        return text if filter_.type is str else None
    if filter_.type is int:
        return read_epoch_ms(_name_option(filter_), text)
    if filter_.type is Raw:
        return read_json_object(_name_option(filter_), text)
    return text


def read_json_object(option: str, text: str) -> Raw:
    """Read an object as it was typed: its numbers keep their digits; raises Invalid."""
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except (msgspec.MsgspecError, ValueError) as fault:
        raise Invalid(option, "expected a JSON object") from fault
    return Raw(text.encode())

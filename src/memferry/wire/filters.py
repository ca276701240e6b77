"""The filters of bodies and answers as fields of a struct, each from its own declaration."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import UNSET, Raw, UnsetType

from memferry.filters import Filter
from memferry.wire.schema import JsonText, Time, describe

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
# What stands for the type of a filter: a time is never negative, JSON is an object.
_TYPES: dict[Any, Any] = {int: Time, Raw: JsonText}


def add_filters(
    name: str, base: type[_Struct], filters: Sequence[type[Filter]], *, answer: bool = False
) -> type[_Struct]:
    """Make a struct with the fields and the docstring of `base`, and a field for each filter.

    An answer leaves out a filter that was not given, unless it is always shown.
    """
    struct = msgspec.defstruct(
        name,
        [_make_field(filter_, optional=answer and not filter_.always_shown) for filter_ in filters],
        bases=(base,),
        namespace={"__doc__": base.__doc__},
        kw_only=True,
    )
    return cast("type[_Struct]", struct)


def _make_field(filter_: type[Filter], *, optional: bool) -> tuple[str, Any, Any]:
    """Make the name, type and default of a field, as `msgspec.defstruct` takes them."""
    shown: Any = _TYPES.get(filter_.type, filter_.type)
    meaning = describe(filter_.meaning, example=filter_.example)
    # The text of JSON holds null by itself; msgspec knows no other union with it.
    if optional or filter_.type is Raw:
        return filter_.field, Annotated[shown | UnsetType, meaning], UNSET
    return filter_.field, Annotated[shown | None, meaning], None

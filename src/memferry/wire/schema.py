"""Descriptions of fields for the OpenAPI document; decoding checks none of them."""

from typing import Annotated, Any

from msgspec import Meta, Raw


def describe(text: str | None = None, *, example: Any = None, **schema: Any) -> Meta:
    """Describe a field: its meaning, an example, keywords of JSON Schema such as `minLength`."""
    return Meta(
        description=text,
        examples=None if example is None else [example],
        extra_json_schema=schema or None,
    )


Json = dict[str, Any]
JsonText = Annotated[Raw, describe(type=["object", "null"])]
"""A JSON object, or null, that stays text: every number keeps its digits."""
Time = Annotated[int, describe(minimum=0)]
"""Epoch milliseconds UTC."""
NextCursor = Annotated[str | None, describe("leads to the next page; not there at the end")]

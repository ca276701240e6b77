"""Answers of the service as errors of the tree in memferry.errors, by their codes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import msgspec

from memferry.errors import ClientError, MemferryError, ServiceRefused

# What a proxy in front of the service answers while the service is away, too.
_PASSING = frozenset([429, 502, 503, 504])


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """An error of any service that answers JSON."""

    error: str
    code: str | None = None
    field: str | None = None
    scope: str | None = None


_body = msgspec.json.Decoder(_Body)


def _list_classes(base: type[MemferryError]) -> Iterator[type[MemferryError]]:
    for class_ in base.__subclasses__():
        if class_ is not ClientError:
            yield class_
            yield from _list_classes(class_)


_BY_CODE = {class_.code: class_ for class_ in _list_classes(MemferryError)}


def rebuild_error(answer: httpx.Response) -> MemferryError:
    """Make the error that the service raised, of the same class and with its text.

    An answer without a code of the tree is a ServiceRefused, with its `status`.
    """
    try:
        body = _body.decode(answer.content)
    except (msgspec.MsgspecError, ValueError):
        text = f"the service answered {answer.status_code} {answer.reason_phrase}".strip()
        return ServiceRefused(text, status=answer.status_code)
    class_ = _BY_CODE.get(body.code or "")
    if class_ is None:
        return ServiceRefused(body.error, status=answer.status_code, answer_code=body.code or "")
    # Its constructor would word the text anew, of what it is about.
    fault = class_.__new__(class_)
    MemferryError.__init__(fault, body.error)
    fault.__dict__.update(_list_details(body, answer))
    return fault


def may_pass(fault: MemferryError) -> bool:
    """Whether the same call may succeed later with nothing else changed."""
    return fault.retryable or (isinstance(fault, ServiceRefused) and fault.status in _PASSING)


def _list_details(body: _Body, answer: httpx.Response) -> dict[str, Any]:
    """What the classes of errors say beside their text."""
    details: dict[str, Any] = {"scope": body.scope}
    if body.field is not None:
        reason = body.error.removeprefix(f"{body.field}: ")
        details |= {"field": body.field, "reason": reason}
    with suppress(KeyError, ValueError):
        details["again_in_seconds"] = float(answer.headers["Retry-After"])
    return {name: value for name, value in details.items() if value is not None}

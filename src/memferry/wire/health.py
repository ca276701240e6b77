"""The answers about the service itself."""

from typing import Annotated

import msgspec

from memferry.wire.schema import describe

_True = Annotated[bool, describe(const=True)]
_Ok = Annotated[str, describe(const="ok")]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    ok: _True


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The state of every part; in a 503 `error` has the reasons of all faults."""

    ready: _True
    database: _Ok
    store: _Ok
    worker: _Ok
    database_id: Annotated[str, describe("tells two databases apart", pattern="^[0-9a-f]{8}$")]

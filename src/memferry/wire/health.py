"""What is answered about the service itself."""

from typing import Annotated

import msgspec

from memferry.wire.schema import describe

_True = Annotated[bool, describe(const=True)]
_Ok = Annotated[str, describe(const="ok")]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    ok: _True


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Every part is well; in a 503 the parts that are not say why, in `error` too."""

    ready: _True
    database: _Ok
    store: _Ok
    worker: _Ok
    database_id: Annotated[str, describe("tells two databases apart", pattern="^[0-9a-f]{8}$")]

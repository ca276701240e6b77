"""The answer to every request that fails."""

from typing import Annotated

import msgspec

from memferry.wire.schema import describe


class Error(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every answer from 400 on."""

    error: Annotated[str, describe(example="content: must not be empty", minLength=1)]
    code: Annotated[str, describe(example="invalid")]
    field: Annotated[str | None, describe(example="content")] = None
    scope: Annotated[str | None, describe("the one a token lacks")] = None

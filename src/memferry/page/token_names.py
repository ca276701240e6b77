"""How screens call the tokens that did something."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from memferry.http.audit import ACCESS as AUDIT
from memferry.model.token import Caller
from memferry.tenants.tokens import Tokens


async def list_token_names(
    tokens: Tokens, caller: Caller, ids: Iterable[UUID | None]
) -> Mapping[UUID, str]:
    """The names of tokens, as far as a reader may know those of others."""
    known = {id_ for id_ in ids if id_ is not None}
    return await tokens.list_names(caller, known) if known and AUDIT.allows(caller) else {}


def name_token(caller: Caller, token_id: UUID | None, names: Mapping[UUID, str]) -> str:
    """How a token is called for a reader, who may not know the names of others."""
    if token_id is None:
        return "no token"
    own = token_id == caller.token_id
    if token_id in names:
        return f"{names[token_id]} (yours)" if own else names[token_id]
    return "your token" if own else "another token"

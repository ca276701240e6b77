"""Errors as models read them: what happened, and what to do next."""

from memferry.errors import (
    Busy,
    Denied,
    ExportNotFound,
    Forbidden,
    ImportNotFound,
    Invalid,
    LimitReached,
    MemferryError,
    MemoryNotFound,
    ServiceUnreachable,
    TooLarge,
    Unavailable,
)

# The first class that fits, from the most special to the most general.
_ADVICE: dict[type[MemferryError], str] = {
    Invalid: "Correct the argument and call again.",
    TooLarge: "Send less at a time.",
    MemoryNotFound: "Find its id with search_memories or list_memories.",
    ExportNotFound: "Start one with export_memories.",
    ImportNotFound: "Start one with import_memories.",
    Denied: "Tell the user that memferry needs a valid token: memferry token create.",
    Forbidden: "Tell the user that the token of this connection does not allow it.",
    Busy: "Wait a moment, then call again.",
    Unavailable: "Wait a moment, then call again; if it goes on, tell the user.",
    ServiceUnreachable: "Tell the user to start the service: memferry serve.",
    MemferryError: "Tell the user; the log of the service may say more.",
}


def describe_fault(fault: MemferryError) -> str:
    """Describe an error: its code, its message, and what to do next."""
    return f"{fault.code}: {str(fault).rstrip('.')}. {_advise(fault)}"


def _advise(fault: MemferryError) -> str:
    if isinstance(fault, LimitReached):
        return f"Wait {fault.again_in_seconds:.0f} seconds, then call again."
    return next(_ADVICE[class_] for class_ in type(fault).__mro__ if class_ in _ADVICE)

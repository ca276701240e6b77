"""What to do next after an error, where its text does not say so itself."""

from memferry.errors import (
    Forbidden,
    Invalid,
    LimitReached,
    MemferryError,
    MemoryNotFound,
    MissingToken,
    NotFound,
    ProjectNotFound,
    ServiceRefused,
    ServiceUnreachable,
    TokenNotFound,
    UnknownToken,
    VersionNotFound,
    WebhookNotFound,
    WrongDigest,
    WrongKey,
)

# The first class that fits; the one above all others is not among them: its text says everything.
_ADVICE: dict[type[MemferryError], str] = {
    Invalid: "see --help",
    MissingToken: "log in: memferry login URL (or set MEMFERRY_TOKEN)",
    UnknownToken: "log in with another token: memferry login URL",
    Forbidden: "use a token that may: memferry token create --scope, --namespace",
    MemoryNotFound: "look for it: memferry list, memferry search",
    ProjectNotFound: "see: memferry project list",
    WebhookNotFound: "see: memferry webhook list",
    TokenNotFound: "see: memferry token list",
    VersionNotFound: "see: memferry history ID",
    NotFound: "see: memferry jobs list",
    LimitReached: "see what is used: memferry status",
    ServiceUnreachable: "start it: memferry serve (or name another: --server, MEMFERRY_URL)",
    ServiceRefused: "look at the address: memferry servers, MEMFERRY_URL",
    WrongDigest: "run the command again; if it happens again, check the files of the service",
    WrongKey: "name the key that it is encrypted to: --identity",
}


def advise(fault: MemferryError) -> str:
    """What to do next, as the end of the line of an error; nothing if its text says it."""
    for class_ in type(fault).__mro__:
        if class_ in _ADVICE:
            return f"; {_ADVICE[class_]}"
    return ""

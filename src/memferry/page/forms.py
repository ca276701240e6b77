"""Forms of the page: their fields, and the proof that a page of ours has sent them."""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from memferry.errors import ForeignForm, Invalid
from memferry.http.bodies import read_body
from memferry.page.cookies import read_sign_in

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
_MOST_FIELDS = 2_000
_FORM_BYTES = 64 * 1024
_OWN_SITES = frozenset({"none", "same-origin"})


@dataclass(frozen=True)
class SentForm:
    """The fields of a form that a page of ours has sent."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The value of a field; empty if it is missing."""
        return next((value for field, value in self.pairs if field == name), "")

    def all(self, name: str) -> list[str]:
        """The values of a field that may be repeated."""
        return [value for field, value in self.pairs if field == name]

    def has(self, name: str) -> bool:
        """Whether a box is checked, or a button was pressed."""
        return any(field == name for field, _ in self.pairs)


async def read_form(request: Request, *, limit_bytes: int = _FORM_BYTES) -> SentForm:
    """Read a form; raises ForeignForm for one of another page, and Invalid or TooLarge.

    Its token must be that of the sign-in: another site knows neither.
    """
    body = await read_body(request, limit_bytes)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as fault:
        raise Invalid("form", "is not valid percent-encoded UTF-8") from fault
    form = SentForm(tuple(pairs))
    check_form(request, form)
    return form


def check_form(request: Request, form: SentForm) -> None:
    """Raise ForeignForm unless a form holds the token of the sign-in."""
    if not hmac.compare_digest(form.get(TOKEN_FIELD).encode(), make_form_token(request).encode()):
        raise ForeignForm


def make_form_token(request: Request) -> str:
    """Make the token of all forms of one sign-in, which does not tell its secret.

    Without a sign-in there is nothing to bind it to: the origin alone speaks for a form.
    """
    sign_in = read_sign_in(request)
    key = b"nobody" if sign_in is None else sign_in.text.encode("utf-8", "surrogateescape")
    return hmac.new(key, b"memferry form", hashlib.sha256).hexdigest()


def check_origin(request: Request) -> None:
    """Raise ForeignForm if the browser says that a page of another origin sends the request.

    A browser says so by either header or both (https://www.w3.org/TR/fetch-metadata/).
    """
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise ForeignForm
    origin = request.headers.get("origin")
    if origin is None:
        return
    public = request.app.state.public_url
    own = {request.headers.get("host"), urlsplit(public).netloc if public else None}
    if origin.partition("://")[2] not in own:
        raise ForeignForm

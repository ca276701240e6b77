"""Signing in with a token or a link, signing out, and the theme."""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from memferry.errors import Denied, UnknownToken
from memferry.http.auth import AUTHENTICATED, find_client_address
from memferry.http.errors import find_status
from memferry.http.reading import find_service_address
from memferry.page.cookies import drop_sign_in, keep_sign_in, keep_theme, read_sign_in
from memferry.page.forms import make_form_token, read_form
from memferry.page.policy import SCREEN_HEADERS
from memferry.page.screens import Screen, redirect
from memferry.page.templates import Templates
from memferry.telemetry import log_event
from memferry.tenants.sign_ins import LINK_PREFIX, SignIns, SignInSecret
from memferry.tenants.tokens import Tokens

_TEXT = """memferry {version}: a memory store for AI agents that people can always leave.

The API describes itself at {address}/docs, for programs at {address}/openapi.json.
Every call needs a token: Authorization: Bearer mnu_...
On the machine that runs the service, this makes one: memferry token create --tenant NAME
"""
# An address of this service alone: `//host` and `/\\host` lead to others.
_OWN_PATH = re.compile(r"/(?![/\\])[!-~]{0,2000}")
_OWN_SITES = frozenset({"none", "same-origin"})


class SignInScreens:
    """The way in and the way out."""

    def __init__(self, templates: Templates, sign_ins: SignIns, tokens: Tokens) -> None:
        self._templates = templates
        self._sign_ins = sign_ins
        self._tokens = tokens

    def screens(self) -> list[Screen]:
        """All addresses of signing in and out."""
        return [
            Screen("GET /sign-in", self.show_sign_in, access=None),
            Screen("POST /sign-in", self.sign_in, access=None),
            Screen("POST /sign-out", self.sign_out),
            Screen("GET /form-token", self.show_form_token, access=None),
            Screen("POST /theme", self.choose_theme, access=None),
        ]

    async def show_sign_in(self, request: Request) -> Response:
        """The form for a token; whoever is signed in goes on."""
        next_ = _read_next(request.query_params.get("next"))
        if AUTHENTICATED in request.scope:
            return redirect(next_)
        return self.welcome(request, next_)

    def welcome(self, request: Request, next_: str = "/", fault: Denied | None = None) -> Response:
        """What this is and how to come in; as text for programs that take no HTML."""
        if fault is None and "text/html" not in request.headers.get("accept", ""):
            text = _TEXT.format(
                version=self._templates.version, address=find_service_address(request)
            )
            return PlainTextResponse(text, headers=SCREEN_HEADERS)
        return self._templates.answer(
            request,
            "sign_in.html",
            status=200 if fault is None else find_status(type(fault)),
            next=next_,
            fault=fault,
            # A link on another site must not sign a reader in as somebody else unasked.
            redeems_link=request.headers.get("sec-fetch-site", "none") in _OWN_SITES,
        )

    async def sign_in(self, request: Request) -> Response:
        """Sign a browser in with a token, or with the secret of a link."""
        form = await read_form(request)
        next_ = _read_next(form.get("next"))
        try:
            secret = await self._open(form.get("token").strip(), request)
        except Denied as fault:
            log_event("token.refused", address=find_client_address(request.scope))
            return self.welcome(request, next_, fault)
        answer = redirect(next_)
        keep_sign_in(request, answer, secret)
        return answer

    async def _open(self, text: str, request: Request) -> SignInSecret:
        address = find_client_address(request.scope)
        if text.startswith(LINK_PREFIX):
            return await self._sign_ins.spend_link(SignInSecret(text), address)
        if not text:
            raise UnknownToken
        return await self._sign_ins.open(await self._tokens.find_caller(text, address))

    async def sign_out(self, request: Request) -> Response:
        """Sign a browser out."""
        await read_form(request)
        if (secret := read_sign_in(request)) is not None:
            await self._sign_ins.close(request.scope[AUTHENTICATED], secret)
        answer = redirect("/sign-in")
        drop_sign_in(request, answer)
        return answer

    async def show_form_token(self, request: Request) -> Response:
        """The token of forms, and whose they are, for a form of an earlier sign-in."""
        caller = request.scope.get(AUTHENTICATED)
        tenant = None if caller is None else str(caller.tenant_id)
        body = {"form_token": make_form_token(request), "tenant": tenant}
        return JSONResponse(body, headers=SCREEN_HEADERS)

    async def choose_theme(self, request: Request) -> Response:
        """Keep a theme, and show the same screen in it."""
        form = await read_form(request)
        answer = redirect(_read_next(form.get("next")))
        keep_theme(answer, form.get("theme"))
        return answer


def _read_next(text: str | None) -> str:
    """Where to go on, within this service; home for anything else."""
    return text if text and _OWN_PATH.fullmatch(text) else "/"

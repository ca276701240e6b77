"""Home: what there is, and what is being done with it."""

from starlette.requests import Request
from starlette.responses import Response

from memferry.http.auth import ALLOWED, AUTHENTICATED
from memferry.page.screens import ANYBODY, Screen
from memferry.page.sign_in import SignInScreens
from memferry.page.templates import Templates


class HomeScreens:
    """The first screen."""

    def __init__(self, templates: Templates, sign_in: SignInScreens) -> None:
        self._templates = templates
        self._sign_in = sign_in

    def screens(self) -> list[Screen]:
        """The one address."""
        return [Screen("GET /", self.show_home, access=None)]

    async def show_home(self, request: Request) -> Response:
        """Home for those who are signed in; else what this is."""
        wants_html = "text/html" in request.headers.get("accept", "")
        if AUTHENTICATED not in request.scope or not wants_html:
            return self._sign_in.welcome(request)
        ANYBODY.admit(request)
        return self._templates.answer(request, "home.html", caller=request.scope[ALLOWED])

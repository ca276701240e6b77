"""A new memory, written by hand."""

from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Forbidden, Invalid, LimitReached, MemferryError, TooLarge
from memferry.http.auth import Access
from memferry.http.bodies import hold_memory
from memferry.http.errors import find_status
from memferry.http.reading import get_caller
from memferry.memories.service import Memories
from memferry.memories.validation import check_memory
from memferry.page.forms import read_form
from memferry.page.memory_form import FORM_BYTES, FORM_COPIES, MemoryForm
from memferry.page.rows import decode_row
from memferry.page.screens import Screen, redirect
from memferry.page.templates import Templates

# What was saved is shown.
_ACCESS = Access(("memories:read", "memories:write"))


class NewMemoryScreens:
    """The form of a new memory."""

    def __init__(self, templates: Templates, memories: Memories) -> None:
        self._templates = templates
        self._memories = memories

    def screens(self) -> list[Screen]:
        """Both addresses."""
        return [
            Screen("GET /memories/new", self.show_blank, _ACCESS),
            Screen("POST /memories/new", self.save_memory, _ACCESS),
        ]

    async def show_blank(self, request: Request) -> Response:
        """The empty form; a token with one namespace can write into no other."""
        namespaces = get_caller(request).namespaces or ()
        return self._answer(
            request, MemoryForm(namespace=namespaces[0] if len(namespaces) == 1 else "")
        )

    async def save_memory(self, request: Request) -> Response:
        """Save what the form says, and show it; what was typed stays until then."""
        form = MemoryForm.read(await read_form(request, limit_bytes=FORM_BYTES))
        await hold_memory(request, FORM_COPIES * len(form.content))
        try:
            row = await self._memories.save(get_caller(request), check_memory(form.write()))
        except (Invalid, TooLarge, LimitReached, Forbidden) as fault:
            return self._answer(request, form, fault)
        return redirect(f"/memories/{decode_row(row).id}?done=saved")

    def _answer(
        self, request: Request, form: MemoryForm, fault: MemferryError | None = None
    ) -> Response:
        return self._templates.answer(
            request,
            "memory_new.html",
            status=200 if fault is None else find_status(type(fault)),
            form=form,
            fault=fault,
        )

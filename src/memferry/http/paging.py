"""Pages of a list: the cursor of a request, and the link to the next page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from memferry.errors import Invalid
from memferry.http.parameters import query_field
from memferry.http.reading import Query, find_service_address, read_query
from memferry.model.cursor import decode_cursor, encode_cursor

CURSOR = query_field("cursor", "string", "goes on where an earlier page ended: its next cursor")


@dataclass(frozen=True)
class Pages:
    """One list, with the values that order its rows."""

    listing: tuple[object, ...]
    """What tells this list from another: its address and its filters."""
    kinds: tuple[Any, ...]

    def read_place(self, query: Query) -> list[Any] | None:
        """The place that a query string names, None: the beginning; raises as `find_place`."""
        with_offset = (query.get("offset") or "0").strip() != "0"
        return self.find_place(query.get("cursor"), with_offset=with_offset)

    def find_place(self, cursor: str | None, *, with_offset: bool) -> list[Any] | None:
        """The place where a page begins, None: the beginning; raises Invalid for the cursor."""
        if not cursor:
            return None
        if with_offset:
            raise Invalid("cursor", "goes without offset")
        return decode_cursor(cursor, self.listing, self.kinds)

    def make_cursor(self, places: Sequence[Sequence[object]], limit: int) -> str | None:
        """Make the cursor after the last row of a page; None if there is no next page.

        `places` are those of the page's rows and, if there is one, of the row behind it.
        """
        return encode_cursor(self.listing, places[limit - 1]) if len(places) > limit else None


def show_cursor(cursor: str | None) -> dict[str, str]:
    """The member of an answer that says there is more; none at the end."""
    return {} if cursor is None else {"next_cursor": cursor}


def link_next(request: Request, cursor: str | None) -> dict[str, str]:
    """Make the header of the next page (RFC 8288, section 3), if there is one."""
    if cursor is None:
        return {}
    return link_page(request, "cursor", cursor)


def link_page(request: Request, field: str, value: str) -> dict[str, str]:
    """Make the header of this address with one field of the query string changed."""
    pairs = [pair for pair in read_query(request).pairs if pair[0] not in {field, "offset"}]
    # As it was sent: the path may hold an escaped slash. A bare `;` would end the link for some.
    path = quote(request.scope["raw_path"], safe="/%")
    url = f"{find_service_address(request)}{path}?{urlencode([*pairs, (field, value)])}"
    return {"Link": f'<{url}>; rel="next"'}

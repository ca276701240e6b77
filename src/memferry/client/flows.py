"""The flows that others are made of: a call with its retries, an answer, the pages of a list."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import msgspec

from memferry.client.calls import Call, Retries
from memferry.client.exact_json import make_decoder
from memferry.client.faults import rebuild_error
from memferry.client.steps import Flow, Item, Listing, PauseStep, SendStep, Step, TryStep
from memferry.errors import Invalid, ServiceRefused, ServiceUnreachable

_T = TypeVar("_T")
_Page = TypeVar("_Page")
_Chosen = TypeVar("_Chosen")

MOST_ROWS = 500
"""The largest page that most lists have."""


def repeat_call(call: Call, retry_seconds: float) -> Flow[httpx.Response]:
    """Send a call until its result is final.

    Raises ServiceUnreachable if nobody answers, at once if nobody ever answered this client.
    """
    retries = Retries(call, retry_seconds)
    while True:
        retries.begin()
        try:
            answer: httpx.Response = yield TryStep(call)
        except ServiceUnreachable as fault:
            pause = retries.find_pause(None) if fault.answered_before else None
            if pause is None:
                raise
        else:
            pause = retries.find_pause(answer)
            if pause is None:
                return answer
        yield PauseStep(pause)


def send(call: Call, answer_type: type[_T]) -> Flow[_T]:
    """Send a call and answer its JSON; raises the error that the service answers."""
    answer = yield SendStep(call)
    return read_answer(answer, answer_type)


def read_answer(answer: httpx.Response, answer_type: type[_T]) -> _T:
    """Read the JSON of an answer; raises the error of the service, of its class in the tree.

    Raises ServiceRefused if the JSON has another shape: then something else answers there.
    """
    if answer.is_error:
        raise rebuild_error(answer)
    try:
        # What has no content (RFC 9110, section 15.3.5) is nothing.
        return make_decoder(answer_type).decode(answer.content or b"null")
    except (msgspec.MsgspecError, ValueError) as fault:
        text = f"{answer.url} answers, but not as memferry does: {fault}"
        raise ServiceRefused(text, status=answer.status_code) from fault


def iterate_pages(
    call: Call,
    page_type: type[_Page],
    take: Callable[[_Page], Iterable[_T]],
    limit: int | None = None,
) -> Listing[_T]:
    """Hand out the rows of all pages of a list, or of as many as hold the first `limit` rows."""
    left, next_call = limit, None if limit == 0 else call
    while next_call is not None:
        answer = yield SendStep(next_call)
        page = read_answer(answer, page_type)
        for row in take(page):
            yield Item(row)
            left = None if left is None else left - 1
            if left == 0:
                return
        next_call = _find_next(next_call, answer, page)


def collect_items(
    listing: Listing[_T], choose: Callable[[_T], _Chosen | None], limit: int | None = None
) -> Flow[list[_Chosen]]:
    """Collect what `choose` makes of the items of a listing, but None; the first `limit` of it."""
    chosen = list[_Chosen]()
    with closing(listing):
        step = next(listing, None)
        while step is not None and (limit is None or len(chosen) < limit):
            result = None
            if not isinstance(step, Item):
                result = yield step
            elif (item := choose(step.value)) is not None:
                chosen.append(item)
            step = _proceed(listing, result)
    return chosen


def choose_limit(limit: int | None, most: int = MOST_ROWS) -> int:
    """Choose how many rows the pages of a list have; raises Invalid for a limit below 0."""
    if limit is not None and limit < 0:
        raise Invalid("limit", f"expected 0 or more, got {limit}")
    return most if limit is None else max(1, min(limit, most))


def _proceed(listing: Listing[_T], result: object) -> Step | Item[_T] | None:
    """Give a listing the result of its step; its next one, None at the end."""
    try:
        return listing.send(result)
    except StopIteration:
        return None


def _find_next(call: Call, answer: httpx.Response, page: object) -> Call | None:
    """The call of the next page: by its cursor if filters are in the body, else by its link.

    Of the link the query string alone counts: its host is the one that people see.
    """
    if call.method == "POST":
        cursor = getattr(page, "next_cursor", None)
        return None if cursor is None else replace(call, body={**call.body, "cursor": cursor})
    link = answer.links.get("next", {}).get("url")
    return None if link is None else replace(call, params=_read_params(link))


def _read_params(link: str) -> dict[str, Any]:
    query = httpx.URL(link).params
    return {name: query.get_list(name) for name in query}

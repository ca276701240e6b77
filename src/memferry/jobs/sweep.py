"""Removes what no job needs: files whose time is over, files and uploads of dead attempts."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from memferry.storage import Storage, remove_with_companions
from memferry.telemetry import log_event

_PAGE = 500
_KEY = re.compile(
    r"(?P<tenant>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?P<job>[0-9A-Z]{26})/"
    r"(?P<attempt>[0-9]{1,9})(?:\.[a-z0-9.-]+)?"
)
_Item = TypeVar("_Item")


class Finished(Protocol):
    """The table of jobs, as a sweep asks it."""

    async def expire(self, limit: int) -> Sequence[str | None]:
        """Expire up to `limit` jobs whose time is over; answers the keys of their files."""

    async def find_dead(self, objects: Sequence[tuple[str, UUID, str, int]]) -> set[str]:
        """The names of those that no job needs, now or ever: name, tenant, job and attempt each."""


class JobSweep:
    """Any number of sweeps may run at once: each removal can be repeated.

    Whether a stored object is dead is asked after the object was seen, and death is final: what an
    attempt wrote that is over, and that is not the file of its job, can never become that file.
    """

    def __init__(self, jobs: Finished, storage: Storage) -> None:
        self._jobs = jobs
        self._storage = storage

    async def run(self) -> None:
        """Sweep once, through everything."""
        await self._expire()
        await self._remove_objects()
        await self._abort_uploads()

    async def _expire(self) -> None:
        """Let go of what is past its time. A file is removed after its row says so."""
        full_page = True
        while full_page:
            keys = await self._jobs.expire(_PAGE)
            for key in keys:
                if key is not None:
                    await remove_with_companions(self._storage, key)
            full_page = len(keys) == _PAGE

    async def _remove_objects(self) -> None:
        async for page in _paginate(self._storage.list("")):
            for key in await self._find_dead([(info.key, info.key) for info in page]):
                log_event("object.swept", key=key)
                await self._storage.delete(key)

    async def _abort_uploads(self) -> None:
        async for page in _paginate(self._storage.list_uploads("")):
            dead = await self._find_dead([(upload.id, upload.key) for upload in page])
            for upload in page:
                if upload.id in dead:
                    log_event("upload.swept", key=upload.key)
                    await self._storage.abort(upload)

    async def _find_dead(self, named_keys: Sequence[tuple[str, str]]) -> set[str]:
        """The names of those whose key belongs to no attempt that runs and no published file."""
        matches = [(name, _KEY.fullmatch(key)) for name, key in named_keys]
        return await self._jobs.find_dead(
            [
                (name, UUID(match["tenant"]), match["job"], int(match["attempt"]))
                for name, match in matches
                if match is not None
            ]
        )


async def _paginate(items: AsyncIterable[_Item]) -> AsyncIterator[list[_Item]]:
    page: list[_Item] = []
    async for item in items:
        page.append(item)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page

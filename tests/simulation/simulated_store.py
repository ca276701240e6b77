"""What a process sees of an object store in virtual time."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from memferry.errors import ObjectNotFound, StorageUnavailable, WrongBytes
from memferry.storage import ObjectInfo, Storage, Upload
from simulation.simulated import Chance, Process, Server
from simulation.simulated_jobs import Observer

_MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")
_Parameters = ParamSpec("_Parameters")


def store_lost() -> Exception:
    """What a store raises when it is away."""
    return StorageUnavailable()


class Objects:
    """What a store holds."""

    def __init__(self, chance: Chance, observer: Observer) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, bytearray]] = {}
        self._chance = chance
        self._observer = observer
        self._begun = 0

    def begin(self, key: str) -> str:
        """Begin an upload; its name."""
        if key in self.objects:
            raise FileExistsError(key)
        self._begun += 1
        self.uploads[f"{key}#{self._begun}"] = (key, bytearray())
        return f"{key}#{self._begun}"

    def append(self, name: str, chunk: bytes) -> None:
        """Take some more bytes of an upload."""
        self._upload(name)[1].extend(chunk)

    def finish(self, name: str) -> None:
        """Make an upload an object; the disk may have changed some of its bytes."""
        key, data = self._upload(name)
        wrong = self._chance.strikes("corrupt")
        self.objects[key] = bytes(data) + b"?" if wrong else bytes(data)
        del self.uploads[name]

    def object(self, key: str) -> bytes:
        """The bytes of an object."""
        if key not in self.objects:
            raise ObjectNotFound
        return self.objects[key]

    def remove(self, key: str) -> None:
        """Remove an object, if it is there."""
        self._observer.removes(key)
        self.objects.pop(key, None)

    def abort(self, name: str) -> None:
        """Forget an upload, if it is there."""
        self._observer.aborts(name.partition("#")[0])
        self.uploads.pop(name, None)

    def _upload(self, name: str) -> tuple[str, bytearray]:
        if name not in self.uploads:
            raise StorageUnavailable
        return self.uploads[name]


class SimulatedStorage(Storage):
    """What one process sees of the store."""

    def __init__(
        self, process: Process, server: Server, store: Objects, chance: Chance, observer: Observer
    ) -> None:
        self._process = process
        self._server = server
        self._store = store
        self._chance = chance
        self._observer = observer

    async def put(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        sha256: Callable[[], bytes],
        media_type: str,
        filename: str,
    ) -> None:
        """Keep the promise of a store; after its own fault it may leave anything behind."""
        del media_type, filename
        name = await self._call(self._store.begin, key)
        try:
            await self._fill(name, key, chunks)
            await self._call(self._store.finish, name)
            await self._verify(key, sha256())
        except BaseException as fault:
            if not self._process.dead:
                self._withdraw(name, key, sure=not isinstance(fault, StorageUnavailable))
            raise

    async def _verify(self, key: str, sha256: bytes) -> None:
        if hashlib.sha256(await self._call(self._store.object, key)).digest() != sha256:
            await self._call(self._store.remove, key)
            raise WrongBytes

    async def _fill(self, name: str, key: str, chunks: AsyncIterable[bytes]) -> None:
        source, now = aiter(chunks), asyncio.get_running_loop().time
        asked = now()
        with suppress(StopAsyncIteration):
            while True:
                chunk = await anext(source)
                self._observer.receives(key)
                await self._call(self._store.append, name, chunk)
                asked = now()
        self._observer.finishes(key, asked)

    def _withdraw(self, name: str, key: str, *, sure: bool) -> None:
        if sure or self._chance.random() < 0.5:
            self._store.uploads.pop(name, None)
            self._store.objects.pop(key, None)

    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of one object."""
        return _info(key, await self._call(self._store.object, key))

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """A range of an object."""
        yield (await self._call(self._store.object, key))[start:end]

    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """None: nobody downloads here."""
        del key, lifetime
        return None

    async def delete(self, key: str) -> None:
        """Remove an object."""
        await self._call(self._store.remove, key)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every object, as they were at one moment."""
        for key, data in await self._call(lambda: sorted(self._store.objects.items())):
            if key.startswith(prefix):
                yield _info(key, data)

    async def list_uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Every upload, as they were at one moment."""
        for name, (key, _) in await self._call(lambda: sorted(self._store.uploads.items())):
            if key.startswith(prefix):
                yield Upload(key, name)

    async def abort(self, upload: Upload) -> None:
        """Forget an upload."""
        await self._call(self._store.abort, upload.id)

    async def ping(self) -> None:
        """See whether the store is there."""
        await self._call(bool)

    async def _call(
        self,
        work: Callable[_Parameters, _T],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _T:
        return await self._server.call(self._process, work, *args, **kwargs)


def _info(key: str, data: bytes) -> ObjectInfo:
    return ObjectInfo(key, len(data), _MODIFIED)

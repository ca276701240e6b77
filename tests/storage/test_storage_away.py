"""A store that is away, or goes away, is said to be so soon."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from memferry.errors import StorageUnavailable
from memferry.settings import S3Settings, StorageSettings
from memferry.storage import open_storage
from support.stores import MIB, Store, make_chunks, make_empty_bucket, put

pytestmark = pytest.mark.long


async def test_an_unreachable_store_is_reported_soon(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("no directory")
    options = S3Settings(endpoint="http://127.0.0.1:9", access_key="key", secret_key="secret")
    away = [
        open_storage(StorageSettings(url="s3://bucket", s3=options)),
        open_storage(StorageSettings(url=tmp_path.joinpath("file").as_uri(), s3=options)),
    ]

    for storage in away:
        async with asyncio.timeout(15):
            with pytest.raises(StorageUnavailable):
                await storage.ping()
            with pytest.raises(StorageUnavailable):
                await put(Store(storage), "t/1", make_chunks(1))


async def test_a_store_that_never_answers_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        options = S3Settings(endpoint=f"http://127.0.0.1:{port}", access_key="k", secret_key="s")
        storage = open_storage(StorageSettings(url="s3://bucket", s3=options))
        async with asyncio.timeout(15):
            outcomes = await asyncio.gather(
                storage.ping(),
                storage.stat("t/1"),
                put(Store(storage), "t/1", make_chunks(1)),
                return_exceptions=True,
            )
        await storage.close()

    assert [type(each) for each in outcomes] == [StorageUnavailable] * 3


async def test_a_store_lost_during_a_put_is_reported_soon() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = S3Settings(endpoint=f"http://{host}:{port}", access_key="key", secret_key="secret")
    store = make_empty_bucket(options)

    async def outliving() -> AsyncIterator[bytes]:
        async for chunk in make_chunks(9 * MIB):
            yield chunk
        await asyncio.to_thread(server.stop)
        async for chunk in make_chunks(9 * MIB):
            yield chunk

    with pytest.raises(StorageUnavailable):
        async with asyncio.timeout(15):
            await put(store, "t/1", outliving())
    await store.storage.close()

"""S3: the store is asked to encrypt what it keeps, and is the one it should be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from memferry.errors import Misconfigured, StorageUnavailable
from memferry.settings import S3Settings, Settings, StorageSettings
from memferry.storage import open_storage
from support.certificates import Authority, Signed
from support.stores import MIB, Store, make_chunks, make_empty_bucket, put, read, run_moto_server


@pytest.fixture(scope="module")
def plain() -> Iterator[S3Settings]:
    with run_moto_server() as url:
        yield S3Settings(endpoint=url, access_key="key", secret_key="secret")


@contextmanager
def tls_server(signed: Signed) -> Iterator[str]:
    """Moto's S3 server over TLS; answers its address."""
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        ssl_context=(str(signed.certificate), str(signed.key)),
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def private(authority: Authority) -> Iterator[S3Settings]:
    """A server that only those trust who know our authority."""
    with tls_server(authority.sign("127.0.0.1")) as url:
        options = S3Settings(
            endpoint=url,
            access_key="key",
            secret_key="secret",
            authorities=authority.certificate,
        )
        client_of(options).create_bucket(Bucket="bucket")
        yield options


def client_of(options: S3Settings) -> Any:
    """A client of another maker."""
    return boto3.client(
        "s3",
        endpoint_url=options.endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        verify=str(options.authorities),
    )


async def head(options: S3Settings) -> Any:
    """What the store says of a file written with these options, in more than one part."""
    store = make_empty_bucket(options)
    await put(store, "file", make_chunks(9 * MIB))
    await store.storage.close()
    return store.client.head_object(Bucket="bucket", Key="some/prefix/file")


async def test_the_store_is_asked_to_encrypt_with_its_own_key(plain: S3Settings) -> None:
    found = await head(replace(plain, encryption="AES256"))

    assert found["ServerSideEncryption"] == "AES256"
    assert found["ContentLength"] == 9 * MIB


@pytest.mark.parametrize("signing", [True, False])
async def test_the_store_is_asked_to_encrypt_with_a_key_of_ours(
    plain: S3Settings, *, signing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What obstore finds by itself, where the settings name no keys.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    options = plain if signing else replace(plain, access_key=None, secret_key=None)
    found = await head(replace(options, encryption="aws:kms", kms_key="key-of-ours"))

    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["SSEKMSKeyId"] == "key-of-ours"


async def test_encryption_is_left_to_the_bucket_by_default(plain: S3Settings) -> None:
    assert "SSEKMSKeyId" not in await head(plain)


def test_a_key_without_its_kind_of_encryption_is_a_fault(plain: S3Settings) -> None:
    for encryption in (None, "AES256"):
        with pytest.raises(Misconfigured, match="MEMFERRY_S3_SSE_KMS_KEY_ID"):
            open_storage(
                StorageSettings(
                    url="s3://bucket", s3=replace(plain, kms_key="k", encryption=encryption)
                )
            )


@pytest.mark.parametrize("value", ["aes256", "none", "sse-c"])
def test_an_unknown_encryption_stops_the_start(value: str) -> None:
    with pytest.raises(Misconfigured, match="MEMFERRY_S3_SSE: expected AES256 or aws:kms"):
        Settings.from_environment({"MEMFERRY_S3_SSE": value})


async def test_the_settings_of_s3_reach_the_store(private: S3Settings) -> None:
    settings = Settings.from_environment(
        {
            "MEMFERRY_STORAGE_URL": "s3://bucket/some/prefix",
            "AWS_ENDPOINT_URL": str(private.endpoint),
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "MEMFERRY_S3_SSE": "aws:kms",
            "MEMFERRY_S3_SSE_KMS_KEY_ID": "key-of-ours",
            "MEMFERRY_S3_CA_FILE": str(private.authorities),
        }
    )
    store = Store(open_storage(settings.storage))
    await put(store, "settings", make_chunks(MIB))
    found = client_of(private).head_object(Bucket="bucket", Key="some/prefix/settings")
    await store.storage.close()

    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["SSEKMSKeyId"] == "key-of-ours"


async def test_a_server_whose_authority_is_known_is_used_in_every_way(private: S3Settings) -> None:
    store = Store(open_storage(StorageSettings(url="s3://bucket/some/prefix", s3=private)))
    await put(store, "over-tls", make_chunks(MIB))

    assert len(await read(store, "over-tls", 0, MIB)) == MIB
    assert [each async for each in store.storage.list_uploads("over-tls")] == []
    await store.storage.close()


async def test_a_server_whose_authority_is_unknown_is_not_talked_to(
    private: S3Settings, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    for authorities in (None, stranger.certificate):
        storage = open_storage(
            StorageSettings(url="s3://bucket", s3=replace(private, authorities=authorities))
        )
        with pytest.raises(StorageUnavailable):
            await storage.ping()
        with pytest.raises(StorageUnavailable):
            await anext(storage.list_uploads(""))  # another client lists these
        await storage.close()


async def test_a_server_by_another_name_is_not_talked_to(authority: Authority) -> None:
    with tls_server(authority.sign("elsewhere.example")) as url:
        options = S3Settings(endpoint=url, access_key="key", secret_key="secret")
        storage = open_storage(
            StorageSettings(
                url="s3://bucket", s3=replace(options, authorities=authority.certificate)
            )
        )
        with pytest.raises(StorageUnavailable):
            await storage.ping()
        await storage.close()


@pytest.mark.parametrize("text", [None, "", "no certificate", "é"])
def test_a_file_without_certificates_stops_the_start(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "ours.pem"
    if text is not None:
        file.write_text(text)

    with pytest.raises(Misconfigured, match="MEMFERRY_S3_CA_FILE"):
        open_storage(StorageSettings(url="s3://bucket", s3=S3Settings(authorities=file)))

"""Multipart uploads that were begun and not finished: obstore makes them, but cannot list them."""

import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
from httpx_auth import AWS4Auth

from memferry.errors import Misconfigured, StorageUnavailable
from memferry.storage.base import Upload

_log = logging.getLogger("memferry.storage")
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class S3Options:
    """How to reach a bucket; unset values are left to obstore (environment, instance metadata)."""

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    encryption: str | None = None
    """How the store encrypts each object: AES256 or aws:kms."""
    kms_key: str | None = None
    authorities: Path | None = None
    """PEM file of certificates to trust beside the known ones."""

    def trusted(self) -> str | None:
        """Its text; raises Misconfigured if it cannot be read or holds no certificate."""
        if self.authorities is None:
            return None
        try:
            text = self.authorities.read_text(encoding="ascii")
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        except (OSError, ValueError, ssl.SSLError) as fault:
            raise Misconfigured(f"MEMFERRY_S3_CA_FILE: {self.authorities}: {fault}") from fault
        return text


class Uploads:
    """ListMultipartUploads and AbortMultipartUpload for the keys below a prefix of one bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    """

    def __init__(self, bucket: str, prefix: str, options: S3Options) -> None:
        self._prefix = f"{prefix}/" if prefix else ""
        endpoint = options.endpoint
        self._url = (
            f"{endpoint}/{bucket}"
            if endpoint
            else f"https://{bucket}.s3.{options.region}.amazonaws.com"
        )
        self._http: httpx.AsyncClient | None = None
        if options.access_key and options.secret_key:
            auth = AWS4Auth(
                options.access_key,
                options.secret_key,
                options.region,
                "s3",
                **({"security_token": options.session_token} if options.session_token else {}),
            )
            trust = httpx.create_ssl_context()
            if (authorities := options.trusted()) is not None:
                trust.load_verify_locations(cadata=authorities)
            self._http = httpx.AsyncClient(auth=auth, timeout=_TIMEOUT_SECONDS, verify=trust)

    async def all(self, prefix: str) -> AsyncIterator[Upload]:
        """Every upload in progress whose key starts with the prefix, page by page.

        With credentials of the machine's role nothing is found here: give the bucket a lifecycle
        rule that aborts old uploads.
        """
        query = {"uploads": "", "prefix": self._prefix + prefix}
        more = self._http is not None
        while more:
            page = _parsed(await self._call("GET", "", query))
            for each in page.iterfind("{*}Upload"):
                key = each.findtext("{*}Key", "").removeprefix(self._prefix)
                yield Upload(key, each.findtext("{*}UploadId", ""))
            more = page.findtext("{*}IsTruncated") == "true"
            query["key-marker"] = page.findtext("{*}NextKeyMarker", "")
            query["upload-id-marker"] = page.findtext("{*}NextUploadIdMarker", "")

    async def abort(self, upload: Upload) -> None:
        """Abort one; it may be gone by now."""
        await self._call("DELETE", f"/{self._prefix}{upload.key}", {"uploadId": upload.id})

    async def _call(self, method: str, path: str, query: dict[str, str]) -> bytes:
        if self._http is None:
            return b""
        try:
            answer = await self._http.request(method, self._url + path, params=query)
        except httpx.TransportError as fault:
            raise StorageUnavailable(
                f"the object store is away ({type(fault).__name__})"
            ) from fault
        gone = method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND
        if answer.is_error and not gone:
            raise StorageUnavailable(f"the object store answered {answer.status_code}")
        return answer.content

    async def close(self) -> None:
        """Let go of connections."""
        if self._http is not None:
            await self._http.aclose()


def _parsed(page: bytes) -> ET.Element:
    try:
        return ET.fromstring(page)  # noqa: S314 - from the operator's own store
    except ET.ParseError as fault:
        raise StorageUnavailable("the object store's list of uploads is no XML") from fault

"""Requests for multipart uploads: obstore cannot list them, and it limits the time of a part."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
from httpx_auth import AWS4Auth

from memferry.errors import StorageUnavailable
from memferry.settings import S3Settings
from memferry.storage.base import Upload
from memferry.storage.s3_options import read_authorities
from memferry.storage.slow_links import SlowLinkTransport

# None of these limits a whole transfer: each limits the time in which nothing moves.
_TIMEOUTS = httpx.Timeout(connect=5, read=120, write=30, pool=None)
_PAUSES_SECONDS = (0.5, 2.0, 5.0)
NO_BUCKET = "the object store has no such bucket (MEMFERRY_STORAGE_URL)"
REFUSED = "the object store refuses us (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, its policy)"
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; the first match counts.
_ANSWERS = (
    ("<Code>NoSuchBucket<", NO_BUCKET),
    (
        "<Code>(AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraint)",
        "the object store has the bucket in another region (AWS_REGION)",
    ),
    (r"<Code>KMS\.", "the object store cannot use its key (MEMFERRY_S3_SSE_KMS_KEY_ID)"),
    (r"<Code>(ExpiredToken|InvalidToken)|status code: 40[13]\b", REFUSED),
)


def describe_outage(reason: str) -> str:
    """The error message for a store that cannot be reached."""
    return f"the object store is away ({reason}; MEMFERRY_STORAGE_URL, AWS_ENDPOINT_URL)"


def describe_refusal(answer: str, otherwise: str) -> str:
    """The error message for a refusal; it repeats nothing of the answer, which may hold a link."""
    texts = (text for pattern, text in _ANSWERS if re.search(pattern, answer))
    return next(texts, None) or describe_outage(otherwise)


class Uploads:
    """ListMultipartUploads and AbortMultipartUpload for the keys below a prefix of one bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    """

    def __init__(self, bucket: str, prefix: str, options: S3Settings) -> None:
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
            if (authorities := read_authorities(options)) is not None:
                trust.load_verify_locations(cadata=authorities)
            self._http = httpx.AsyncClient(
                auth=auth, timeout=_TIMEOUTS, transport=SlowLinkTransport(trust)
            )
        self._encryption = {
            name: value
            for name, value in (
                ("x-amz-server-side-encryption", options.encryption),
                ("x-amz-server-side-encryption-aws-kms-key-id", options.kms_key),
            )
            if value is not None
        }

    @property
    def usable(self) -> bool:
        """Whether there are credentials to sign with."""
        return self._http is not None

    async def list(self, prefix: str) -> AsyncIterator[Upload]:
        """Yield every upload in progress whose key starts with the prefix, page by page.

        Yields nothing without credentials in the settings, as with the role of a machine: such a
        bucket needs a lifecycle rule that aborts old uploads.
        """
        query = {"uploads": "", "prefix": self._prefix + prefix}
        has_more = self.usable
        while has_more:
            page = _parse_xml((await self._call("GET", "", query)).content)
            for upload in page.iterfind("{*}Upload"):
                key = upload.findtext("{*}Key", "").removeprefix(self._prefix)
                yield Upload(key, upload.findtext("{*}UploadId", ""))
            has_more = page.findtext("{*}IsTruncated") == "true"
            query["key-marker"] = page.findtext("{*}NextKeyMarker", "")
            query["upload-id-marker"] = page.findtext("{*}NextUploadIdMarker", "")

    async def abort(self, upload: Upload) -> None:
        """Abort an upload; does nothing if it is gone."""
        if self.usable:
            await self._call("DELETE", self._path(upload.key), {"uploadId": upload.id})

    async def create(self, key: str, media_type: str, filename: str) -> str:
        """Begin an upload, and answer its id."""
        headers = {
            "Content-Type": media_type,
            "Content-Disposition": f'attachment; filename="{filename}"',
            **self._encryption,
        }
        answer = await self._call("POST", self._path(key), {"uploads": ""}, headers=headers)
        return _parse_xml(answer.content).findtext("{*}UploadId", "")

    async def put_part(self, key: str, upload_id: str, number: int, part: bytes) -> str:
        """Send one part, up to four times, and answer its ETag."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        for pause in _PAUSES_SECONDS:
            with suppress(StorageUnavailable):
                return (await self._call("PUT", self._path(key), query, part)).headers["etag"]
            await asyncio.sleep(pause)
        return (await self._call("PUT", self._path(key), query, part)).headers["etag"]

    async def complete(self, key: str, upload_id: str, parts: bytes) -> None:
        """Complete an upload, which makes the object visible.

        A store may answer 200 with an error in the body.
        """
        answer = await self._call("POST", self._path(key), {"uploadId": upload_id}, parts)
        if _parse_xml(answer.content).tag.endswith("Error"):
            raise StorageUnavailable("the object store did not put the parts together")

    def _path(self, key: str) -> str:
        return "/" + quote(self._prefix + key, safe="/-_.~")

    async def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        if self._http is None:
            raise StorageUnavailable("the object store's credentials are not ours to sign with")
        try:
            answer = await self._http.request(
                method, self._url + path, params=query, content=body, headers=headers
            )
        except httpx.TransportError as fault:
            raise StorageUnavailable(describe_outage(type(fault).__name__)) from fault
        gone = method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND
        if not answer.is_success and not gone:
            status = f"status code: {answer.status_code}"
            raise StorageUnavailable(
                describe_refusal(f"{status} {answer.text}", f"answered {answer.status_code}")
            )
        return answer

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.aclose()


def _parse_xml(page: bytes) -> ET.Element:
    try:
        return ET.fromstring(page)  # noqa: S314 - from the operator's own store
    except ET.ParseError as fault:
        raise StorageUnavailable("the object store's list of uploads is no XML") from fault

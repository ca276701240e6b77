"""The readiness of a service, read without a token."""

import httpx
import msgspec

from memferry.errors import ServiceRefused, ServiceUnreachable

_ANSWER_SECONDS = 20


class ReadinessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a service is ready, and on which database it works; answered with 200 and 503."""

    ready: bool
    error: str | None = None
    database_id: str | None = None


def read_readiness(url: str) -> ReadinessAnswer:
    """Read the readiness of the service at `url`; raises ServiceUnreachable if it does not answer.

    Raises ServiceRefused if something else than memferry answers.
    """
    try:
        answer = httpx.get(f"{url}/api/health/ready", timeout=_ANSWER_SECONDS)
    except httpx.TransportError as fault:
        raise ServiceUnreachable(f"{url} does not answer: {fault}") from fault
    return decode_readiness(answer)


def decode_readiness(answer: httpx.Response) -> ReadinessAnswer:
    """Read the body of a 200 or a 503; raises ServiceRefused if it is no memferry's."""
    try:
        return msgspec.json.decode(answer.content, type=ReadinessAnswer)
    except (msgspec.MsgspecError, ValueError) as fault:
        text = f"{answer.url} answered {answer.status_code}: it is no memferry"
        raise ServiceRefused(text) from fault

"""How the settings of a bucket reach obstore, and whom its connections trust."""

import ssl
from datetime import timedelta
from typing import Any

from memferry.errors import Misconfigured
from memferry.settings import S3Settings

_CONNECT_TIMEOUT = timedelta(seconds=3)
# For a whole part: obstore limits the time of a request, not the time in which nothing moves.
_REQUEST_TIMEOUT = timedelta(minutes=15)


def make_config(options: S3Settings) -> Any:
    """What obstore is told of the store: where it is, and by whom it is used."""
    values = {
        "endpoint": options.endpoint,
        "region": options.region,
        "access_key_id": options.access_key,
        "secret_access_key": options.secret_key,
        "session_token": options.session_token,
        "server_side_encryption": options.encryption,
        "sse_kms_key_id": options.kms_key,
        # Servers other than AWS are reached by path: their names have no wildcard certificate.
        "virtual_hosted_style_request": None if options.endpoint is None else False,
    }
    return {name: value for name, value in values.items() if value is not None}


def make_client_options(options: S3Settings) -> Any:
    """How obstore connects; raises Misconfigured as `read_authorities` does."""
    values = {
        "allow_http": True,
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": _REQUEST_TIMEOUT,
        "root_certificate": read_authorities(options),
    }
    return {name: value for name, value in values.items() if value is not None}


def read_authorities(options: S3Settings) -> str | None:
    """The certificates to trust beside the known ones, as PEM.

    Raises Misconfigured for a file that cannot be read or holds none.
    """
    if options.authorities is None:
        return None
    try:
        text = options.authorities.read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError, ssl.SSLError) as fault:
        raise Misconfigured(f"MEMFERRY_S3_CA_FILE: {options.authorities}: {fault}") from fault
    return text

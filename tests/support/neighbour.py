"""Another tenant's program: asks for a page and saves a memory, again and again, and times it.

Says, once its input ends, the longest wait in seconds and the statuses met. A process of its own,
so that what a test does beside it does not slow it down.
"""

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit

_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 60


def main(url: str, token: str) -> None:
    """Go on until standard input ends."""
    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    worst, statuses = 0.0, set()
    headers = {"Authorization": f"Bearer {token}"}
    while not over.is_set():
        for method, body in (("GET", None), ("POST", '{"content": "small"}')):
            began = time.monotonic()
            statuses.add(_ask(url, method, body, headers))
            worst = max(worst, time.monotonic() - began)
            time.sleep(_PAUSE_SECONDS)
    json.dump({"worst": worst, "statuses": sorted(statuses)}, sys.stdout)


def _ask(url: str, method: str, body: str | None, headers: dict[str, str]) -> int:
    """One request on a connection of its own: the status, or 0 where nobody answered."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS
    )
    try:
        connection.request(method, "/api/memories", body, headers)
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return 0
    finally:
        connection.close()
    return answer.status


if __name__ == "__main__":
    main(*sys.argv[1:])

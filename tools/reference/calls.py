"""Runs the examples: each is a command of curl, as the pages show it."""

import json
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from reference.examples import RECEIVER, Example
from reference.layout import WIDTH, lay_out_json
from reference.made_up import MadeUpValues

_SECONDS = 30
_WAITS = 0.05
_MADE_UP_RECEIVER = "https://example.com/hook"
_MADE_UP_URL = "http://127.0.0.1:3122"


@dataclass(frozen=True)
class Call:
    """An example that was run, with made-up values in the place of those of the run."""

    address: str
    """The method and the path, as the example has them."""
    command: str
    status: int
    answer: Any
    """JSON, or text; None: no body."""


class Shell:
    """Runs commands of curl as they stand, for one token."""

    def __init__(self, url: str, token: str, home: Path) -> None:
        """`home` gets the settings of curl: they add the status to what it prints."""
        (home / ".curlrc").write_text('write-out = "\\n%{http_code}"\n')
        path = Path(shutil.which("curl") or "curl").parent
        self._environment = {"URL": url, "TOKEN": token, "CURL_HOME": str(home)}
        self._environment["PATH"] = f"{path}:/usr/bin:/bin"

    def run(self, command: str) -> tuple[int, Any]:
        """Run a command; the status and the body of the answer."""
        output = subprocess.check_output(
            ["/bin/sh", "-c", command], env=self._environment, text=True
        )
        body, _, status = output.rpartition("\n")
        try:
            return int(status), json.loads(body) if body else None
        except json.JSONDecodeError:
            return int(status), body

    def run_until_settled(self, command: str) -> tuple[int, Any]:
        """Run a command that reads until the work that it shows is done."""
        deadline = time.monotonic() + _SECONDS
        status, answer = self.run(command)
        while not _is_settled(status, answer) and time.monotonic() < deadline:
            time.sleep(_WAITS)
            status, answer = self.run(command)
        return status, answer


def run_examples(examples: Sequence[Example], url: str, token: str) -> list[Call]:
    """Run the examples in their order, with a token of a tenant that has nothing yet."""
    with tempfile.TemporaryDirectory() as home, _receive_messages() as receiver:
        shell = Shell(url, token, Path(home))
        _, caller = shell.run(write_command(Example("GET /api/auth/me")))
        tenant = caller["org"]["name"]
        made_up = MadeUpValues({receiver: _MADE_UP_RECEIVER, url: _MADE_UP_URL, tenant: "example"})
        values = {RECEIVER.strip("<>"): receiver}
        return [_run_example(shell, example, values, made_up) for example in examples]


def _run_example(
    shell: Shell, example: Example, values: dict[str, str], made_up: MadeUpValues
) -> Call:
    made_up.begin_example()
    sent = _fill_in(example, values)
    command = write_command(sent)
    if example.address.startswith("GET"):
        status, answer = shell.run_until_settled(command)
    else:
        status, answer = shell.run(command)
        _wait_for_work(shell, example, answer)
    for name, place in example.keep.items():
        values[name] = _find(answer, place)
    address, body = made_up.replace(sent.address), made_up.replace(sent.body)
    shown = write_command(replace(sent, address=address, body=body))
    return Call(example.address, shown, status, made_up.replace(answer))


def _wait_for_work(shell: Shell, example: Example, answer: Any) -> None:
    """Wait for what the example has started, so that the next one begins after its end."""
    if isinstance(answer, dict) and answer.get("status") == "pending":
        address = example.address.partition(" ")[2].partition("?")[0]
        shell.run_until_settled(write_command(Example(f"GET {address}/{answer['id']}")))
    elif example.address.startswith("DELETE /api/memories/"):
        _, webhooks = shell.run(write_command(Example("GET /api/webhooks")))
        for webhook in webhooks["endpoints"]:
            address = f"GET /api/webhooks/{webhook['id']}/deliveries"
            shell.run_until_settled(write_command(Example(address)))


def _is_settled(status: int, answer: Any) -> bool:
    """Whether the answer shows no work that is still to be done."""
    if not isinstance(answer, dict):
        return True
    waits = [delivery for delivery in answer.get("deliveries", []) if not delivery["delivered_at"]]
    unfinished = answer.get("status") in {"pending", "running"}
    return status != 503 and not unfinished and not waits  # noqa: PLR2004 - RFC 9110, 15.6.4


def _fill_in(example: Example, values: dict[str, str]) -> Example:
    """The example with values of earlier answers in their places."""

    def fill(text: str) -> str:
        return re.sub(r"<(\w+)>", lambda found: values[found[1]], text)

    body = json.loads(fill(json.dumps(example.body)))
    return replace(example, address=fill(example.address), body=body)


def _find(answer: Any, place: str) -> str:
    """A value of the answer; of an address its last part."""
    for step in place.split("."):
        answer = answer[int(step) if step.isdigit() else step]
    return str(answer).rpartition("/")[2]


def write_command(example: Example) -> str:
    """The command of curl, in lines that are not too long."""
    method, _, path = example.address.partition(" ")
    words = ["curl -s"]
    if method not in {"GET", "POST"}:
        words.append(f"-X {method}")
    words.append(f'"$URL{path}"')
    if not example.public:
        words.append('-H "Authorization: Bearer $TOKEN"')
    words += [f"-H {shlex.quote(header)}" for header in example.headers]
    words += [example.options] if example.options else []
    if isinstance(example.body, str):
        words.append(f"--data-binary {shlex.quote(example.body)}")
    elif example.body is not None:
        text = lay_out_json(example.body, indent=5, before=50)
        words += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(text)}"]
    return _join_words(words)


def _join_words(words: Sequence[str]) -> str:
    """The words on lines, each but the last with the backslash that leads on."""
    lines = [words[0]]
    for word in words[1:]:
        first = word.partition("\n")[0]
        if len(lines[-1]) + len(first) < WIDTH and not first.startswith("-H 'Content-Type"):
            lines[-1] += f" {word}"
        else:
            lines.append(f"     {word}")
    return " \\\n".join(lines)


class _Receiver(BaseHTTPRequestHandler):
    """Accepts each message."""

    def do_POST(self) -> None:
        """Answer 204."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Print nothing."""


@contextmanager
def _receive_messages() -> Iterator[str]:
    """The address of a program that accepts what webhooks send."""
    with HTTPServer(("127.0.0.1", 0), _Receiver) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            thread.join()

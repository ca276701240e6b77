"""Every event of the log has a name that the list and the page explain."""

import ast
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from memferry.telemetry import LOG_EVENTS, ROOT_LOGGER, log_event, log_span

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/log.md").read_text()
_FIELD = re.compile(r"%\((\w+)\)")


@dataclass(frozen=True)
class LogCall:
    """One place in the source that logs an event."""

    place: str
    name: object
    fields: frozenset[str]

    def __str__(self) -> str:
        return f"{self.place} {self.name}"


def list_calls() -> Iterator[LogCall]:
    """Every call of `log_event` and `log_span`, with the fields it may give."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
        for call in (node for node in nodes if isinstance(node, ast.Call)):
            kind = getattr(call.func, "id", None)
            if kind in {"log_event", "log_span"} and path.name != "telemetry.py":
                name = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
                fields = {str(keyword.arg) for keyword in call.keywords}
                if kind == "log_span":
                    # What the work in a span adds is named in the same file.
                    fields |= {"seconds"} | {text for text in texts if isinstance(text, str)}
                place = f"{path.relative_to(ROOT / 'src')}:{call.lineno}"
                yield LogCall(place, name, frozenset(fields))


CALLS = list(list_calls())


def test_every_event_of_the_list_is_logged_and_no_other() -> None:
    assert {call.name for call in CALLS} == LOG_EVENTS.keys()


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_field_of_a_line_is_given(call: LogCall) -> None:
    wanted = set(_FIELD.findall(LOG_EVENTS[str(call.name)].line))

    assert wanted <= call.fields


@pytest.mark.parametrize("name", LOG_EVENTS)
def test_a_name_says_what_something_happened_to_and_what_happened(name: str) -> None:
    assert re.fullmatch(r"[a-z_]+\.([a-z]+ed|cut|lost|swept|written)", name)


def test_the_page_explains_every_event_and_no_other() -> None:
    documented = re.findall(r"^\| `(\S+)` \| (\w+) \| (.+) \|$", PAGE, re.MULTILINE)

    assert documented == [
        (name, logging.getLevelName(event.level), event.meaning)
        for name, event in sorted(LOG_EVENTS.items())
    ]


def test_nothing_else_of_ours_writes_into_the_log() -> None:
    package = ROOT / "src/memferry"
    # The command line sets the log up.
    others = ("cli/__init__.py",)
    names = [str(path.relative_to(package)) for path in package.rglob("*.py")]
    ours = [name for name in names if not name.startswith(others)]
    loud = [name for name in ours if "getLogger(" in (package / name).read_text()]

    assert loud == ["telemetry.py"]


class Counter(logging.Handler):
    """What metrics would make of the log: how often each event came, and how long spans took."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.times: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        name = record.name.removeprefix(f"{ROOT_LOGGER}.")
        self.times[name] = self.times.get(name, 0) + 1
        if isinstance(record.args, dict) and "seconds" in record.args:
            self.seconds[name] = self.seconds.get(name, 0.0) + float(str(record.args["seconds"]))


@pytest.fixture
def counter() -> Iterator[Counter]:
    handler, logger = Counter(), logging.getLogger(ROOT_LOGGER)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_handler_counts_events_and_sums_up_the_seconds_of_spans(counter: Counter) -> None:
    log_event("workers.returned")
    for attempt in (1, 2):
        with log_span("delivery.attempted", delivery="d", attempt=attempt) as answer:
            answer["status"] = 204

    assert counter.times == {"workers.returned": 1, "delivery.attempted": 2}
    assert 0 <= counter.seconds["delivery.attempted"] < 60


def test_a_span_that_fails_is_not_logged(counter: Counter) -> None:
    with pytest.raises(LookupError), log_span("migration.applied", migration="0001"):
        raise LookupError

    assert counter.times == {}


def test_the_line_of_an_event_tells_its_fields_and_the_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = LookupError("why")
    log_event("worker.ended", status=7, raised=fault)
    (record,) = caplog.records

    assert record.getMessage() == "the worker ended with status 7; starting it again"
    assert (record.name, record.levelname) == ("memferry.worker.ended", "WARNING")
    assert record.exc_info is not None
    assert record.exc_info[1] is fault

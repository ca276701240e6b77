"""The documentation says what the code does."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from commands import MARK, describe_commands, list_commands
from memferry.cli import app
from memferry.errors import (
    Busy,
    ClientError,
    ExportFailed,
    MemferryError,
    RequestTimedOut,
    Unavailable,
)
from memferry.exports.hand_out.links import LIFETIME
from memferry.formats import FORMATS
from memferry.formats.csv import CSV
from memferry.http.errors import find_status
from memferry.model.audit import EVENTS as AUDIT_EVENTS
from memferry.model.export import INLINE_BYTES, INLINE_ROWS
from memferry.model.token import SCOPES
from memferry.model.webhook import EVENTS
from memferry.settings import Settings, list_settings
from memferry.wire.audit import AuditEntry
from support.states import ALLOWED_CHANGES

ROOT = Path(__file__).parents[2]
TOP = [ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "SECURITY", "CONTRIBUTING")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = (ROOT / "docs/settings.md").read_text()
ERRORS = (ROOT / "docs/errors.md").read_text()
CONCEPTS = (ROOT / "docs/concepts.md").read_text()
TROUBLESHOOTING = (ROOT / "docs/troubleshooting.md").read_text()
EXPORTS = (ROOT / "docs/exports.md").read_text()
TOKENS = (ROOT / "docs/tokens.md").read_text()
AUDIT = (ROOT / "docs/audit.md").read_text()
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
README = (ROOT / "README.md").read_text()
COMMANDS_PAGE = (ROOT / "docs/commands.md").read_text()
RUN = (ROOT / "run").read_text()


def errors(base: type[MemferryError] = MemferryError) -> Iterator[type[MemferryError]]:
    yield base
    for each in base.__subclasses__():
        if each.__module__ == "memferry.errors":
            yield from errors(each)


def service_errors() -> list[type[MemferryError]]:
    """The errors that a service answers or logs: not those of its clients."""
    return [error for error in errors() if not issubclass(error, ClientError)]


def default(each: Field[Any]) -> str:
    """A setting's default as the table shows it."""
    if each.default is MISSING:
        return "see there"
    if each.default is None:
        return "unset"
    shown = str(each.default)
    return f"`{shown.lower() if isinstance(each.default, bool) else shown}`"


COMMANDS = dict(list_commands(get_command(app), "memferry"))


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", SETTINGS, re.MULTILINE)

    assert sorted(documented) == sorted(
        {
            (field.metadata["name"], default(field), field.metadata["meaning"])
            for field in list_settings(Settings)
        }
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_unknown_setting(page: Path) -> None:
    known = {field.metadata["name"] for field in list_settings(Settings)}
    known |= {f"{each}_FILE" for each in known} | set(re.findall(r"\{(MEMFERRY_\w+):-", RUN))

    assert set(re.findall(r"\b(?:MEMFERRY|AWS)_[A-Z0-9_]+", page.read_text())) <= known


@pytest.mark.parametrize("error", service_errors(), ids=lambda error: error.__name__)
def test_every_error_is_documented_with_its_status(error: type[MemferryError]) -> None:
    text = (error.__doc__ or "").strip()

    assert f"| `{error.code}` | {find_status(error)} | `{error.__name__}` | {text} |" in ERRORS


def test_no_other_error_is_documented() -> None:
    documented = re.findall(r"^\| `(\w+)` \| \d+ \| `(\w+)` \|", ERRORS, re.MULTILINE)

    assert sorted(documented) == sorted((error.code, error.__name__) for error in service_errors())


def test_every_error_of_the_client_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", ERRORS, re.MULTILINE)

    assert documented == [
        (error.code, error.__name__, (error.__doc__ or "").strip()) for error in errors(ClientError)
    ]


def test_codes_are_different() -> None:
    codes = [each.code for each in errors()]

    assert len(set(codes)) == len(codes)


def test_every_code_has_its_entry_in_the_troubleshooting_and_no_other() -> None:
    entries = re.findall(r"^### (.+)$", TROUBLESHOOTING, re.MULTILINE)

    assert sorted(entries) == sorted(error.code for error in errors())


@pytest.mark.parametrize("error", list(errors()), ids=lambda error: error.__name__)
def test_an_entry_says_what_to_do_and_stands_below_its_status(error: type[MemferryError]) -> None:
    parts = re.split(r"^## ", TROUBLESHOOTING, flags=re.MULTILINE)
    part = next(part for part in parts if f"\n### {error.code}\n" in part)
    entry = part.partition(f"\n### {error.code}\n\n")[2].partition("\n### ")[0]
    cause, _, next_step = entry.partition("\n\n**Next:** ")
    place = "The client" if issubclass(error, ClientError) else str(find_status(error))

    assert cause
    assert next_step
    assert place in part.partition("\n")[0]


def test_the_table_of_changes_has_the_allowed_ones() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", EXPORTS, re.MULTILINE))

    assert listed == {(old, new) for old, many in ALLOWED_CHANGES.items() for new in many}


@pytest.mark.parametrize("page", [CONCEPTS, EXPORTS], ids=["concepts", "exports"])
def test_diagrams_have_80_columns_and_the_first_draws_each_state(page: str) -> None:
    diagrams = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line for diagram in diagrams for line in diagram.splitlines()]

    assert max(map(len, lines)) <= 80
    assert set(ALLOWED_CHANGES) <= set(re.findall(r"\w+", diagrams[0]))


def test_every_format_is_documented() -> None:
    assert re.findall(r"^\| `(\w+)` \| .+ \| .+ \| .+ \|$", EXPORTS, re.MULTILINE) == list(FORMATS)


def test_every_reason_to_fail_is_documented_with_what_it_means() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (yes|no) \| [^|]+ \|$", EXPORTS, re.MULTILINE)
    reasons = [MemferryError] + [
        each
        for each in set(errors()) - {Busy, RequestTimedOut}  # which only requests meet
        if issubclass(each, ExportFailed | Unavailable) and not each.__subclasses__()
    ]

    assert sorted(documented) == sorted(
        (each.code, "yes" if each.retryable else "no") for each in reasons
    )


def test_the_header_of_csv_is_documented() -> None:
    assert f"`{CSV.head.decode().strip()}`" in EXPORTS


def test_every_event_of_exports_is_documented() -> None:
    named = set(re.findall(r"`(export\.\w+)`", EXPORTS))

    assert named == {each for each in EVENTS if each.startswith("export.")}


def test_every_event_of_the_audit_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `(\w+\.\w+)` \|", AUDIT, re.MULTILINE)

    assert documented == list(AUDIT_EVENTS)


def test_every_field_of_the_audit_is_documented() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", AUDIT, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert documented == list(AuditEntry.__struct_fields__)


def test_every_scope_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z:]+)` \|", TOKENS, re.MULTILINE)

    assert documented == list(SCOPES)


def test_the_limits_are_the_documented_ones() -> None:
    rows, size = f"{INLINE_ROWS:,} rows", f"{INLINE_BYTES // 1024**2} MiB"

    assert f"Up to {rows} and {size} the export runs in the request" in EXPORTS
    assert f"Up to {rows} come back in the answer" in " ".join(README.split())
    assert f"works for {LIFETIME.seconds // 60} minutes" in EXPORTS


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_of_a_command_means_one_thing(name: str) -> None:
    options = [option for parameter in COMMANDS[name].params for option in parameter.opts]

    assert len(set(options)) == len(options)


def test_the_page_of_the_commands_is_made_of_their_help() -> None:
    _, mark, reference = COMMANDS_PAGE.partition(MARK)

    assert mark + reference == f"{MARK}\n{describe_commands()}", "run: ./run commands"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_unknown_command(page: Path) -> None:
    pattern = r"(?:^    |`)(?:MEMFERRY_\S+ )?(?:\./run )?memferry ([a-z]+)"
    named = re.findall(pattern, page.read_text(), re.MULTILINE)

    assert set(named) <= {name.split()[1] for name in COMMANDS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_unknown_option_of_a_command(page: Path) -> None:
    named = re.findall(r"(?:^    |`)(memferry [a-z]+[^`\n|]*)", page.read_text(), re.MULTILINE)
    for line in named:
        name = max((name for name in COMMANDS if f"{line} ".startswith(f"{name} ")), default="")
        known = {"--help"}
        for parameter in COMMANDS[name].params if name else []:
            known |= {*parameter.opts, *parameter.secondary_opts}

        assert set(re.findall(r"(?<= )--[a-z][a-z-]*", line)) <= known, line


def test_the_guide_for_contributors_names_every_word_of_run_and_no_other() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"^\| `\./run ([a-z-]+)", guide, re.MULTILINE)
    words = re.findall(r"^([a-z-]+)\)", RUN, re.MULTILINE)

    assert sorted(named) == sorted(words)


def test_the_readme_shows_the_requests_that_the_first_start_prints() -> None:
    printed = (ROOT / "src/memferry/cli/serve.py").read_text()
    shown = re.findall(r"curl -s http://127\.0\.0\.1:3122(\S+) .*\n.*-d '(.+)'", README)

    assert shown == [
        (path, body.replace("{{", "{").replace("}}", "}"))
        for path, body in re.findall(r"curl -s \{url\}(\S+) .*\n.*-d '(.+)'", printed)
    ]
    assert len(shown) == 2


def test_the_code_map_names_every_module_and_folder() -> None:
    places = [
        f"{each.name}/" if each.is_dir() else each.name
        for each in (ROOT / "src/memferry").iterdir()
        if not each.name.startswith("_") and each.name != "py.typed"
    ]
    rows = re.findall(r"^\| (`.+?) \|", ARCHITECTURE, re.MULTILINE)

    assert sorted(re.findall(r"`(.+?)`", " ".join(rows))) == sorted(places)


def test_the_import_contract_is_the_checked_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    layers = [each.replace("memferry.", "") for each in contract["layers"]]

    assert "".join(f"    {each}\n" for each in layers) in ARCHITECTURE


def test_the_glossary_names_each_word_once_and_in_order() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    words = re.findall(r"^\| (.+?) \|", glossary, re.MULTILINE)[2:]

    assert words == sorted(set(words))

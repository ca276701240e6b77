"""Each method of the client has an example, and each example runs against a real service."""

import doctest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memferry.client import AsyncClient, Client
from memferry.client.administration import AuditMethods, TokenMethods, WebhookMethods
from memferry.client.export_handle import ExportHandleMethods
from memferry.client.exports import ExportMethods
from memferry.client.groups import NamespaceMethods, ProjectMethods, ThreadMethods
from memferry.client.history import HistoryMethods
from memferry.client.imports import ImportHandleMethods, ImportMethods
from memferry.client.memories import MemoryMethods
from memferry.client.methods import FlowMethod, ListingMethod
from memferry.client.service import ServiceMethods
from memferry.model.token import SCOPES
from support.imports import make_row, write_ndjson
from support.people import Person, make_person
from support.service import Service

_OWNERS = (
    ServiceMethods, MemoryMethods, HistoryMethods, NamespaceMethods, ThreadMethods,
    ProjectMethods, ExportMethods, ExportHandleMethods, ImportMethods, ImportHandleMethods,
    TokenMethods, WebhookMethods, AuditMethods,
)  # fmt: skip
_METHODS = {
    f"{owner.__name__}.{name}": method.__doc__ or ""
    for owner in _OWNERS
    for name, method in vars(owner).items()
    if isinstance(method, FlowMethod | ListingMethod)
}
_EXAMPLES = _METHODS | {
    "Client": Client.__doc__ or "",
    "Client.call": Client.call.__doc__ or "",
    "AsyncClient": AsyncClient.__doc__ or "",
}
_PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text()


@pytest.fixture(scope="module")
def person(service: Service, database_url: str) -> Iterator[Person]:
    """A tenant with two memories, which no example of an export changes."""
    with make_person("examples", service, database_url, SCOPES) as person:
        person.save("Likes tea.", tags=["taste"])
        person.save("Has a dog.")
        yield person


@pytest.fixture(scope="module")
def other_person(service: Service, database_url: str) -> Iterator[Person]:
    """A tenant for all other examples."""
    with make_person("examples", service, database_url, SCOPES) as person:
        yield person


@pytest.fixture(scope="module")
def names(person: Person, other_person: Person, tmp_path_factory: Any) -> Iterator[dict[str, Any]]:
    """The names that examples use, beside `client`."""
    folder: Path = tmp_path_factory.mktemp("examples")
    (folder / "rows.ndjson").write_bytes(write_ndjson(make_row("one"), make_row("two")))
    url = str(person.base_url)
    with Client(url, person.token) as exporting, Client(url, other_person.token) as client:
        yield {
            "folder": folder, "url": url, "token": other_person.token, "client": client,
            "exporting": exporting,
        }  # fmt: skip


@pytest.mark.parametrize("name", _EXAMPLES)
def test_an_example_does_what_it_says(name: str, names: dict[str, Any]) -> None:
    library = name.rpartition(".to_")[2]
    if library in {"pandas", "polars"}:
        pytest.importorskip(library, reason=f"{library} is not installed (./run bench has it)")
    known = names | ({"client": names["exporting"]} if name.startswith("Export") else {})
    _run(name, _EXAMPLES[name], known)


@pytest.mark.parametrize("name", _METHODS)
def test_the_page_of_the_client_names_every_method(name: str) -> None:
    assert f"`{name.rpartition('.')[2]}`" in _PAGE


def _run(name: str, text: str, names: dict[str, Any]) -> None:
    example = doctest.DocTestParser().get_doctest(text, dict(names), name, None, 0)
    printed: list[str] = []
    result = doctest.DocTestRunner().run(example, out=printed.append)

    assert result.attempted > 0, f"{name} has no example"
    assert result.failed == 0, "".join(printed)

"""The reference of the API is what the service describes and answers: its requests run again."""

import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from memferry.model.token import SCOPES
from reference.calls import Call, run_examples
from reference.examples import EXAMPLES
from reference.pages import FOLDER, list_sections, make_pages, name_operation
from support.people import make_person
from support.service import NO_TLS, Service

PAGES = {page.name: page.read_text() for page in FOLDER.glob("*.md")}


@pytest.fixture(scope="module")
def document(service: Service) -> Any:
    return httpx.get(f"{service.url}/openapi.json", verify=NO_TLS).json()


@pytest.fixture(scope="module")
def calls(service: Service, database_url: str) -> list[Call]:
    if shutil.which("curl") is None:
        pytest.skip("no curl here (Debian: curl)")
    with make_person("demo", service, database_url, SCOPES) as person:
        return run_examples(EXAMPLES, service.url, person.token)


@pytest.mark.parametrize("name", PAGES)
def test_the_requests_of_a_page_are_answered_as_it_shows(
    name: str, document: Mapping[str, Any], calls: Sequence[Call]
) -> None:
    assert PAGES[name] == make_pages(document, calls)[name], "run: ./run api"


def test_every_address_of_the_document_is_on_a_page(document: Mapping[str, Any]) -> None:
    shown = set(re.findall(r"`([A-Z]+ /[^`]*)`", "".join(PAGES.values())))
    addresses = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }

    assert shown == addresses


def test_every_call_has_an_example(document: Mapping[str, Any]) -> None:
    shown = {name_operation(example.address) for example in EXAMPLES}
    without = [
        section.title
        for section in list_sections(document)
        if not shown & {name_operation(address) for address in section.addresses}
    ]

    assert without == []


@pytest.mark.parametrize("name", PAGES)
def test_every_shape_that_a_page_names_is_described_on_it(name: str) -> None:
    links = set(re.findall(r"\]\(#([\w-]+)\)", PAGES[name]))
    titles = re.findall(r"^#+ (.+)$", PAGES[name], re.MULTILINE)

    assert links <= {title.lower().replace(" ", "-") for title in titles}
    assert len(set(titles)) == len(titles)

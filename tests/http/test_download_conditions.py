"""Conditional downloads: what a client has already is not sent again (RFC 9110, section 13)."""

from collections.abc import Iterator

import httpx
import pytest

from support.people import make_person
from support.service import NO_TLS, Service


@pytest.fixture(scope="module")
def link(service: Service, database_url: str) -> Iterator[str]:
    """The link of one queued file."""
    with make_person("alice", service, database_url) as alice:
        alice.save_many([{"content": f"memory {number}"} for number in range(10_001)])
        yield str(alice.wait_for(alice.export(format="ndjson"))["download_url"])


@pytest.fixture
def etag(link: str) -> str:
    return str(ask(link, method="HEAD").headers["etag"])


def ask(link: str, method: str = "GET", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx.Client(verify=NO_TLS) as client:
        return client.request(method, link, headers=named)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*", '"a" , W/{}'])
def test_a_download_with_a_matching_tag_is_not_modified(
    link: str, etag: str, form: str, method: str
) -> None:
    answer = ask(link, method, if_none_match=form.format(etag))

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["repr-digest"].startswith("sha-256=:")
    assert "content-length" not in answer.headers or answer.headers["content-length"] == "0"


@pytest.mark.parametrize("condition", ['"other"', "", 'W/"other", "another"'])
def test_a_download_with_another_tag_is_sent(link: str, condition: str) -> None:
    answer = ask(link, if_none_match=condition)

    assert answer.status_code == 200
    assert answer.content.count(b"\n") == 10_001


@pytest.mark.parametrize(("condition", "status"), [("{}", 200), ("*", 200), ('"x", {}', 200)])
def test_a_download_whose_precondition_holds_is_sent(
    link: str, etag: str, condition: str, status: int
) -> None:
    assert ask(link, if_match=condition.format(etag)).status_code == status


@pytest.mark.parametrize("condition", ['"other"', "W/{}"])
def test_a_download_whose_precondition_fails_is_refused(
    link: str, etag: str, condition: str
) -> None:
    answer = ask(link, if_match=condition.format(etag))

    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


def test_conditions_come_before_ranges(link: str, etag: str) -> None:
    known = ask(link, if_none_match=etag, range="bytes=0-9")
    other = ask(link, if_match='"other"', range="bytes=0-9")
    part = ask(link, if_match=etag, if_none_match='"other"', range="bytes=0-9")

    assert (known.status_code, other.status_code, part.status_code) == (304, 412, 206)
    assert len(part.content) == 10


def test_several_header_lines_are_one_list_of_tags(link: str, etag: str) -> None:
    with httpx.Client(verify=NO_TLS) as client:
        lines = [("If-None-Match", '"other"'), ("If-None-Match", etag)]
        known = client.get(link, headers=lines)
        lines = [("If-Match", '"other"'), ("If-Match", etag)]
        meant = client.head(link, headers=lines)

    assert (known.status_code, meant.status_code) == (304, 200)

"""What a query string says is understood, or refused by name: nothing is dropped."""

import json

import pytest

from support.people import Person, make_person
from support.service import Service
from support.tokens import create_holder


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/api/memories/exports?namespace=x", "namespace"),
        ("GET", "/api/memories/exports/01ARZ3NDEKTSV4RRFFQ69G5FAV?format=csv", "format"),
        ("DELETE", "/api/memories/exports/01ARZ3NDEKTSV4RRFFQ69G5FAV?force=true", "force"),
        ("GET", "/api/memories/exports?status=failed", "status"),
        ("GET", "/api/memories?Namespace=x", "Namespace"),
        ("GET", "/api/memories?tag=a", "tag"),
        ("GET", "/api/memories?q=x&metadata=1", "metadata"),
        ("GET", "/api/memories?=x", "query string"),
        ("POST", "/api/memories?namespace=x", "namespace"),
        ("POST", "/v1/memories/bulk?dry_run=true", "dry_run"),
        ("POST", "/api/memories/search/bulk?namespace=x", "namespace"),
        ("GET", "/api/recall/unified?q=x&k=5", "k"),
        ("GET", "/api/namespaces?offset=5", "offset"),
        ("GET", "/api/threads/x?order=desc", "order"),
        ("GET", "/api/webhooks?enabled=true", "enabled"),
        ("DELETE", "/api/memories/00000000-0000-0000-0000-000000000000?purge=true", "purge"),
    ],
)
def test_an_unknown_parameter_is_refused_by_name(
    alice: Person, method: str, path: str, field: str
) -> None:
    answer = alice.request(method, path)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/memories?namespace=a&namespace=b", "namespace"),
        ("/api/memories?limit=5&tags=a&limit=5", "limit"),
        ("/api/recall/unified?q=a&q=b", "q"),
    ],
)
def test_a_single_parameter_given_twice_is_refused(alice: Person, path: str, field: str) -> None:
    answer = alice.get(path)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_export_request_with_a_query_string_is_refused(alice: Person) -> None:
    alice.save("secret")
    alice.post("/api/memories/exports?namespace=other", json={})

    assert alice.get("/api/memories/exports").json() == {"exports": []}


@pytest.mark.parametrize(
    "path", ["/api/memories", "/api/memories?q=tea", "/api/recall/unified?q=tea"]
)
def test_extra_parameters_of_published_clients_are_accepted(alice: Person, path: str) -> None:
    alice.save("tea", source="agent")
    joint = "&" if "?" in path else "?"
    answer = alice.get(f"{path}{joint}recall=true&source=vscode&include=metadata&entity=person")

    assert answer.status_code == 200
    assert "tea" in answer.text


@pytest.mark.parametrize("open_path", ["/health", "/api/health", "/docs", "/openapi.json", "/"])
def test_routes_without_a_token_ignore_parameters(alice: Person, open_path: str) -> None:
    assert alice.get(f"{open_path}?probe=1").status_code == 200


@pytest.fixture
def tagged(alice: Person) -> Person:
    for tags in (["a"], ["a", "b"], ["a,b"], ["[a]"], []):
        alice.save("tea " + json.dumps(tags), tags=tags)
    return alice


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tags=a", ['["a", "b"]', '["a"]']),
        ("tags=a&tags=b", ['["a", "b"]']),
        ('tags=["a","b"]', ['["a", "b"]']),
        ("tags=a,b", ['["a,b"]']),
        ('tags=["[a]"]', ['["[a]"]']),
        ("tags=A", []),
    ],
)
@pytest.mark.parametrize("path", ["/api/memories?", "/api/memories?q=tea&"])
def test_a_filter_by_tags_needs_all_of_them_exactly(
    tagged: Person, path: str, query: str, found: list[str]
) -> None:
    rows = tagged.get(path + query).json()

    assert sorted(row["content"].removeprefix("tea ") for row in rows) == sorted(found)


def test_an_empty_list_of_tags_filters_nothing(tagged: Person) -> None:
    assert len(tagged.get("/api/memories?tags=").json()) == 5


@pytest.mark.parametrize("text", ["[a", "[1]", '["a",]'])
def test_tags_that_are_no_list_of_texts_are_refused(alice: Person, text: str) -> None:
    answer = alice.get("/api/memories", params={"tags": text})

    assert (answer.status_code, answer.json()["field"]) == (400, "tags")


def test_a_bulk_search_takes_tags_and_refuses_a_misspelt_filter(tagged: Person) -> None:
    body = {"queries": ["tea"], "k": 50}
    found = tagged.post("/api/memories/search/bulk", json=body | {"tags": ["a"]})
    refused = tagged.post("/api/memories/search/bulk", json=body | {"tag": ["a"]})
    beside = tagged.post("/api/memories/search/bulk", json=body | {"recall": True, "source": "x"})

    assert len(found.json()["results"][0]["hits"]) == 2
    assert (refused.status_code, refused.json()["field"]) == (400, "tag")
    assert beside.status_code == 200


@pytest.mark.parametrize("k", [2.5, None, "many", True, [], {}])
def test_a_malformed_k_is_the_default(tagged: Person, k: object) -> None:
    answer = tagged.post("/api/memories/search/bulk", json={"queries": ["tea"], "k": k})

    assert len(answer.json()["results"][0]["hits"]) == 5


@pytest.mark.parametrize(("k", "hits"), [(0, 1), (2, 2), ("3", 3), (-1, 1), (10**30, 5)])
def test_a_k_is_held_within_its_bounds(tagged: Person, k: object, hits: int) -> None:
    answer = tagged.post("/api/memories/search/bulk", json={"queries": ["tea"], "k": k})

    assert len(answer.json()["results"][0]["hits"]) == hits


def test_a_bulk_save_answers_the_new_ids_in_the_order_of_its_rows(alice: Person) -> None:
    given = "00000000-0000-7000-8000-000000000001"
    items = [{"content": "one", "id": given}, {"content": ""}, {"content": "two"}]
    answer = alice.post("/v1/memories/bulk", json={"items": items}).json()
    first, failed, second = answer["ids"]

    assert failed is None
    assert given not in answer["ids"]
    assert alice.get(f"/api/memories/{first}").json()["content"] == "one"
    assert alice.get(f"/api/memories/{second}").json()["content"] == "two"


def test_an_event_that_a_published_client_lists_is_accepted(alice: Person) -> None:
    events = ["summary.created", "memory.saved"]
    made = alice.post("/api/webhooks", json={"url": "http://127.0.0.1:1/", "events": events})

    assert made.status_code == 201
    assert made.json()["events"] == sorted(events)


def test_a_change_of_a_webhook_is_answered_with_updated(alice: Person) -> None:
    made = alice.post("/api/webhooks", json={"url": "http://127.0.0.1:1/"}).json()
    changed = alice.put(f"/api/webhooks/{made['id']}", json={"enabled": False}).json()

    assert changed["updated"] is True
    assert changed["enabled"] is False


def test_a_browser_may_send_what_published_clients_send(alice: Person) -> None:
    allowed = alice.options("/api/memories").headers["access-control-allow-headers"]

    assert {"User-Agent", "X-Mnueron-Client", "Range", "If-Range"} <= set(allowed.split(", "))


def test_a_token_that_may_only_create_exports_reads_its_own_and_no_others(
    alice: Person, service: Service, database_url: str
) -> None:
    alice.save("kept")
    others = alice.export(format="ndjson")
    with create_holder(alice, database_url, scopes=("exports:create",)) as creator:
        own = creator.export(format="ndjson")
        listed = creator.get("/api/memories/exports").json()["exports"]
        read = creator.get(f"/api/memories/exports/{own['id']}")
        refused = creator.get(f"/api/memories/exports/{others['id']}")

    assert read.json()["payload"] == own["payload"] != ""
    assert [export["id"] for export in listed] == [own["id"]]
    assert refused.status_code == 404
    with make_person("bob", service, database_url) as bob:
        assert bob.get(f"/api/memories/exports/{own['id']}").status_code == 404

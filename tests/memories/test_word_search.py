"""Searches find words in every form and script, the best first, however many rows there are."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest

from memferry.database.sql import sql
from memferry.filters import Selection
from memferry.filters.checks import keep_given
from memferry.filters.namespace import Namespace
from memferry.memories import search
from memferry.memories.search import WordQuery, WordSearch
from support.people import Person, make_person
from support.service import Service
from support.tokens import create_holder
from support.transactions import open_transaction

MANY = 3_000


def find(person: Person, q: str, **query: Any) -> list[str]:
    """The contents of the rows that a search answers, in their order."""
    answer = person.get("/api/memories", params={"q": q, "limit": 500, **query})
    assert answer.status_code == 200, answer.text
    return [row["content"] for row in answer.json()]


def list_pages(person: Person, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Every page of a search, by its links."""
    answer = person.get("/api/memories", params=query)
    while True:
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if "next" not in answer.links:
            return
        answer = person.get(answer.links["next"]["url"])


@pytest.mark.parametrize(
    ("content", "query"),
    [
        ("We went camping", "camps"),
        ("camp", "campings"),
        ("Two happy DOGS", "dog happiness"),
        ("GPT4 and gpt5", "gpt4"),
        ("Die Häuser am Fluß", "häuser"),
        ("Я люблю чай", "ЧАЙ"),
        ("お茶 が 好き", "お茶"),
        ("cafe\u0301 noir", "cafe\u0301"),
        ("أحب الشاي", "الشاي"),
        ("it's O'Brien\\n", "o'brien"),
        ("w" * 2_000, "w" * 2_000),
        ("before " + "x " * 30_000 + "late", "late"),
    ],
)
def test_a_word_is_found_in_any_form_and_script(alice: Person, content: str, query: str) -> None:
    alice.save(content)
    alice.save("nothing to see")

    assert find(alice, query) == [content]


def test_words_as_written_come_before_other_forms_of_them(alice: Person) -> None:
    for content in ("he camps", "we camp", "camping"):
        alice.save(content)

    assert find(alice, "camp")[0] == "we camp"
    assert find(alice, "camping")[0] == "camping"
    assert len(find(alice, "camp")) == 3


def test_a_rare_word_counts_more_than_several_common_ones(alice: Person) -> None:
    alice.save_many([{"content": f"green tea with milk, cup {i}"} for i in range(50)])
    alice.save("a passport")

    assert find(alice, "passport tea milk")[0] == "a passport"


def test_repetition_helps_and_length_harms(alice: Person) -> None:
    alice.save("tea " + "and many other words besides " * 20)
    alice.save("tea, and then tea")
    alice.save("tea, and then milk")

    assert [text[:15] for text in find(alice, "tea")] == [
        "tea, and then t",
        "tea, and then m",
        "tea and many ot",
    ]


def test_stop_words_find_rows_and_decide_nothing_beside_other_words(alice: Person) -> None:
    alice.save("the fox")
    alice.save("the the the whale")
    alice.save("whale")

    assert find(alice, "the fox") == ["the fox", "the the the whale"]
    assert set(find(alice, "the")) == {"the fox", "the the the whale"}
    assert find(alice, "of") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("campi", {"We went camping"}),
        ("CAM", {"We went camping", "A camel"}),
        ("th", {"The one"}),
        ("came on", {"A camel", "The one"}),
        ("ing", set()),
        ("':* | c", {"We went camping", "A camel"}),
    ],
)
def test_a_beginning_finds_words(alice: Person, query: str, expected: set[str]) -> None:
    for content in ("We went camping", "A camel", "The one"):
        alice.save(content)
    body = {"queries": [query], "prefix": True}
    answer = alice.post("/api/memories/search/bulk", json=body).json()
    recalled = alice.get("/api/recall/unified", params={"q": query, "prefix": "true"}).json()
    searched = alice.post("/api/memories/search", json={"query": query, "prefix": True}).json()

    assert set(find(alice, query, prefix="true")) == expected
    assert {hit["content"] for hit in answer["results"][0]["hits"]} == expected
    assert {hit["content"] for hit in recalled["memories"]} == expected
    assert {hit["content"] for hit in searched["hits"]} == expected
    assert find(alice, query, prefix="false") == []


def test_a_word_that_begins_so_comes_after_the_word_itself(alice: Person) -> None:
    alice.save("a camp")
    alice.save("a campfire")

    assert find(alice, "camp", prefix="true") == ["a camp", "a campfire"]


@pytest.mark.parametrize("value", ["", "1", "TRUE", "yes"])
def test_prefix_is_true_or_false(alice: Person, value: str) -> None:
    answer = alice.get("/api/memories", params={"q": "a", "prefix": value})

    assert (answer.status_code, answer.json()["field"]) == (400, "prefix")


@pytest.fixture(scope="module")
def library(service: Service, database_url: str) -> Iterator[Person]:
    """A person with more rows than a search scores, in which words are common, rarer and rare."""
    with make_person("alice", service, database_url) as person:
        person.save_many(
            [
                {
                    "content": "the common"
                    + " often" * (i % 2 == 0)
                    + " seldom" * (i % 50 == 0)
                    + " rare" * (i % 500 == 0)
                    + f" n{i}",
                    "namespace": "few" if i % 10 == 0 else "many",
                }
                for i in range(MANY)
            ]
        )
        yield person


QUERIES = {
    "rare n7": 7,
    "rare common": MANY,
    "seldom often common": MANY,
    "often": MANY // 2,
    "common": MANY,
    "often the common": MANY,
    "the": MANY,
}


@pytest.mark.parametrize("query", QUERIES)
def test_pages_lead_to_every_row_once_with_falling_scores(library: Person, query: str) -> None:
    rows = [row for page in list_pages(library, q=query, limit=499) for row in page]
    scores = [row["score"] for row in rows]

    assert len(rows) == len({row["id"] for row in rows}) == QUERIES[query]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.parametrize("query", QUERIES)
def test_offsets_and_pages_show_the_same_rows(library: Person, query: str) -> None:
    rows = [row["id"] for page in list_pages(library, q=query, limit=400) for row in page]
    answers = [
        library.get("/api/memories", params={"q": query, "limit": 400, "offset": offset}).json()
        for offset in range(0, QUERIES[query] + 1, 400)
    ]

    assert [row["id"] for answer in answers for row in answer] == rows


@pytest.mark.parametrize("query", QUERIES)
def test_filters_and_words_must_hold_in_every_page(library: Person, query: str) -> None:
    rows = [
        row for page in list_pages(library, q=query, limit=100, namespace="few") for row in page
    ]

    assert {row["namespace"] for row in rows} <= {"few"}
    assert len(rows) == {"rare n7": 6}.get(query, MANY // 10)


@pytest.mark.parametrize("namespace", [None, "many"])
@pytest.mark.parametrize(("limit", "offset"), [(50, 0), (400, 0), (50, 300)])
async def test_the_newest_of_many_hits_are_those_among_all(
    library: Person,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    offset: int,
    namespace: str | None,
) -> None:
    """The way by both indexes is for many more hits than a test has: here for any number."""
    monkeypatch.setattr(search, "_READING_COST", 10**9)
    selection = Selection.for_scan(keep_given({Namespace: namespace}))
    query = WordQuery(text="rare common", limit=limit, offset=offset)
    found: list[list[tuple[Any, ...]]] = []
    used: list[str] = []

    def note_statement(name: LiteralString) -> str:
        used.append(name)
        return sql(name)

    monkeypatch.setattr(search, "sql", note_statement)
    async with open_transaction(library, database_url) as connection:
        for most_looked_up in (0, 10**9):
            monkeypatch.setattr(search, "_MANY_HITS", most_looked_up)
            rows, _ = await WordSearch(connection, selection, limited=False).find(query)
            found.append([(row["id"], row["score"], row["row"]) for row in rows])

    assert found[0] == found[1]
    assert len(found[0]) == limit
    assert used.count("memories/list_newest_hits") == 1


def test_rare_words_and_several_words_come_first_among_many_rows(library: Person) -> None:
    rare = find(library, "common rare often", limit=6)
    together = find(library, "often seldom", limit=60)

    assert all(" rare " in content for content in rare)
    assert all(" seldom " in content for content in together)


def test_pages_agree_while_rows_are_saved(service: Service, database_url: str) -> None:
    with make_person("alice", service, database_url) as alice:
        alice.save_many([{"content": f"tea {'milk' * (i % 3 == 0)} {i}"} for i in range(1_200)])
        pages = list_pages(alice, q="tea milk", limit=100)
        rows = next(pages)
        alice.save_many([{"content": f"milk and milk {i}"} for i in range(300)])
        rows += [row for page in pages for row in page]
    old = [row["id"] for row in rows if not row["content"].startswith("milk and")]

    assert len(old) == len(set(old)) == 1_200


def test_scores_know_nothing_of_other_tenants(alice: Person, bob: Person) -> None:
    for content in ("tea and milk", "tea", "milk"):
        alice.save(content)
    before = alice.get("/api/memories?q=tea+milk").json()
    bob.save_many([{"content": f"tea {i}"} for i in range(2_000)])

    assert alice.get("/api/memories?q=tea+milk").json() == before


def test_scores_know_nothing_of_namespaces_beyond_the_token(
    alice: Person, database_url: str
) -> None:
    alice.save("tea and milk", namespace="mine")
    alice.save("tea", namespace="mine")
    with create_holder(alice, database_url, namespaces=("mine",)) as limited:
        before = limited.get("/api/memories?q=tea+milk").json()
        alice.save_many([{"content": f"tea {i}", "namespace": "other"} for i in range(2_000)])
        after = limited.get("/api/memories?q=tea+milk").json()

    assert after == before


def test_a_query_of_thousands_of_words_is_answered(alice: Person) -> None:
    alice.save("last \u4e00")
    query = " ".join(chr(0x4E00 + i) for i in range(5_000))
    answer = alice.post("/api/memories/search", json={"query": query[:10_000]}).json()

    assert [hit["content"] for hit in answer["hits"]] == ["last \u4e00"]


def change_cursor(person: Person, query: str, change: dict[int, Any]) -> str:
    """The cursor of the first page, with members of its ranking changed."""
    answer = person.get("/api/memories", params={"q": query, "limit": 1})
    cursor = answer.links["next"]["url"].partition("cursor=")[2].partition("&")[0]
    version, listing, place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for member, value in change.items():
        place[3][member] = value
    text = json.dumps([version, listing, place]).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "change",
    [{0: -1}, {1: []}, {1: [1, 2, 3]}, {1: ["x"]}, {2: "leading"}, {2: "other"}, {3: 4}, {3: 9},
     {4: [0, "x"]}],
)  # fmt: skip
def test_a_changed_cursor_of_a_search_is_refused(library: Person, change: dict[int, Any]) -> None:
    cursor = change_cursor(library, "common", change)
    answer = library.get("/api/memories", params={"q": "common", "cursor": cursor})

    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")

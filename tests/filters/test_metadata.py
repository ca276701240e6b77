"""Metadata comes out as it went in: order of keys and spelling of everything, no white space."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memferry.errors import Invalid
from memferry.model import rules
from memferry.model.json_text import MAX_DEPTH, Skeleton, find_repeated_key, merge_members
from memferry.model.strict_json import compact
from support.people import Person

SPELLED = (
    '{"z":1.50,"a":-0,"m":[1e22,1E+5,1e+21,0.10,12345678901234567890],'
    '"\\u0061\\/":"\\u00e9 \\n","é":{"":{}},"deep":{"b":null,"a":[]}}'
)


def save(person: Person, metadata: str, content: str = "x") -> str:
    body = f'{{"content": "{content}", "metadata": {metadata}}}'
    answer = person.post("/api/memories", content=body.encode())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_metadata_is_spelled_alike_in_answers_lists_and_exports(alice: Person) -> None:
    memory_id = save(alice, SPELLED, "tea")
    bulk = f'{{"items": [{{"content": "tea", "metadata": {SPELLED}}}]}}'
    alice.post("/v1/memories/bulk", content=bulk.encode())
    alice.save("none")
    answers = {
        "get": alice.get(f"/api/memories/{memory_id}").text,
        "list": alice.get("/api/memories").text,
        "search": alice.get("/api/memories?q=tea").text,
        "recall": alice.get("/api/recall/unified?q=tea").text,
        "bulk": alice.post("/api/memories/search/bulk", json={"queries": ["tea"]}).text,
        "json": alice.export(format="json")["payload"],
        "ndjson": alice.export(format="ndjson")["payload"],
    }

    expected = {name: 1 if name == "get" else 2 for name in answers}
    assert {name: text.count(f'"metadata":{SPELLED}') for name, text in answers.items()} == expected
    assert '"metadata":null' in answers["list"]


def test_white_space_of_metadata_is_kept_only_in_texts(alice: Person) -> None:
    memory_id = save(alice, ' {\n "a" :\t[ 1 , 2 ] , "b c" : " d  e " } ')

    assert '"metadata":{"a":[1,2],"b c":" d  e "}' in alice.get(f"/api/memories/{memory_id}").text


def test_a_change_of_metadata_keeps_the_bytes_of_other_keys(alice: Person) -> None:
    memory_id = save(alice, SPELLED)
    patch = '{"metadata": {"m": null, "deep": {"x": 1.0}, "new": 1E2, "a": 0}}'
    changed = alice.patch(f"/api/memories/{memory_id}", content=patch.encode())

    expected = '{"z":1.50,"a":0,"\\u0061\\/":"\\u00e9 \\n","é":{"":{}},"deep":{"x":1.0},"new":1E2}'
    assert f'"metadata":{expected}' in changed.text


def test_keys_with_different_escapes_are_one_key(alice: Person) -> None:
    memory_id = save(alice, '{"\\u0061":1,"b":2}')
    changed = alice.patch(f"/api/memories/{memory_id}", content=b'{"metadata": {"a": 3}}')

    assert '"metadata":{"\\u0061":3,"b":2}' in changed.text


def test_metadata_may_begin_with_a_change(alice: Person) -> None:
    row = alice.save("x")
    changed = alice.patch(f"/api/memories/{row['id']}", json={"metadata": {"a": 1, "b": None}})

    assert changed.json()["metadata"] == {"a": 1}


def test_concurrent_changes_of_metadata_lose_no_key(alice: Person) -> None:
    memory_id = save(alice, "{}")

    def change(number: int) -> int:
        body = {"metadata": {f"k{number}": number}}
        return alice.patch(f"/api/memories/{memory_id}", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(change, range(40)))

    metadata = alice.get(f"/api/memories/{memory_id}").json()["metadata"]
    assert statuses == {200}
    assert metadata == {f"k{number}": number for number in range(40)}


def test_changes_do_not_make_metadata_larger_than_its_limit(alice: Person) -> None:
    half = rules.METADATA_BYTES // 2
    memory_id = save(alice, json.dumps({"a": "x" * half}))
    refused = alice.patch(f"/api/memories/{memory_id}", json={"metadata": {"b": "x" * half}})
    row = alice.get(f"/api/memories/{memory_id}").json()

    assert (refused.status_code, refused.json()["field"]) == (413, "metadata")
    assert list(row["metadata"]) == ["a"]
    assert row["updated_at"] == row["created_at"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a":1,"a":1}', "a"),
        ('{"a":1,"\\u0061":2}', "a"),
        ('{"x":[{"b":{},"c":1},{"b":1,"b":2}]}', "b"),
        ('{"\\\\":1,"\\\\":2}', "\\"),
        ('{"a":"b","c":1e400,"c":2}', "c"),
    ],
)
def test_a_repeated_key_is_refused_by_its_name(alice: Person, text: str, key: str) -> None:
    saved = alice.post("/api/memories", content=f'{{"content":"x","metadata":{text}}}'.encode())
    listed = alice.get("/api/memories", params={"metadata_filter": text})
    bulk = f'{{"queries":["x"],"metadata_filter":{text}}}'
    searched = alice.post("/api/memories/search/bulk", content=bulk.encode())

    assert (saved.status_code, saved.json()["field"]) == (400, "metadata")
    assert repr(key) in saved.json()["error"]
    assert (listed.status_code, listed.json()["field"]) == (400, "metadata_filter")
    assert (searched.status_code, searched.json()["field"]) == (400, "metadata_filter")


@pytest.mark.parametrize(
    "text", ['{"a":{"k":1},"b":{"k":1}}', '{"a":[{"k":1},{"k":1}]}', '{"a":"a"}']
)
def test_one_key_in_two_objects_is_no_repetition(alice: Person, text: str) -> None:
    save(alice, text)

    assert find_repeated_key(text.encode(), Skeleton(text.encode())) is None


@pytest.mark.parametrize(
    "number",
    [
        "1e401",
        "1e-401",
        "1e999999",
        "-1E+0500",
        "9" * 402,
        "0." + "1" * 401,
        "1e99999999999999999999",
    ],
)
def test_a_number_with_an_extreme_exponent_is_refused(alice: Person, number: str) -> None:
    body = f'{{"content":"x","metadata":{{"a":[{number}]}}}}'
    answer = alice.post("/api/memories", content=body.encode())

    assert (answer.status_code, answer.json()["field"]) == (400, "metadata")


@pytest.mark.parametrize(
    "number", ["1e400", "-1e-400", "1E0400", "9" * 400, "1e22", "1e+21", "-0", "0e0"]
)
def test_a_number_within_bounds_comes_out_as_it_went_in(alice: Person, number: str) -> None:
    memory_id = save(alice, f'{{"a":{number}}}')

    assert f'"metadata":{{"a":{number}}}' in alice.get(f"/api/memories/{memory_id}").text


def test_no_row_is_much_larger_than_what_was_sent(alice: Person) -> None:
    numbers = ",".join(["1e400"] * 20_000)
    memory_id = save(alice, f'{{"a":[{numbers}]}}')

    assert len(alice.get(f"/api/memories/{memory_id}").content) < len(numbers) + 1000


@pytest.mark.parametrize("latest", [8_640_000_000_000_001, 2**63 - 1, 2**64])
def test_a_time_beyond_the_latest_is_refused(alice: Person, latest: int) -> None:
    items = [{"content": "x", "created_at": latest}]
    refused = alice.post("/v1/memories/bulk", json={"items": items})
    items[0]["created_at"] = 8_640_000_000_000_000
    kept = alice.post("/v1/memories/bulk", json={"items": items}).json()["ids"][0]
    changed = [alice.patch(f"/api/memories/{kept}", json={"tags": [str(i)]}) for i in range(3)]

    assert (refused.status_code, refused.json()["field"]) == (400, "items[0].created_at")
    assert {answer.status_code for answer in changed} == {200}


# Texts of every kind, among them some that could be taken for structure.
_TEXTS = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8
) | (st.sampled_from(['"', "\\", '\\"', "{", "}", "[", ":", ",", '":', "\\u0000"[:1]]))
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(_TEXTS, _VALUES, max_size=5)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=_OBJECTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_compact_text_means_the_same_and_has_no_white_space(
    *, value: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    packed = compact("metadata", text)

    assert json.loads(packed) == value
    assert packed == compact("metadata", packed)
    assert packed == json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode()


@settings(max_examples=300, deadline=None)
@given(old=_OBJECTS, patch=_OBJECTS)
def test_merged_text_means_the_merge(old: dict[str, object], patch: dict[str, object]) -> None:
    merged = merge_members(
        compact("metadata", json.dumps(old).encode()),
        compact("metadata", json.dumps(patch).encode()),
    )

    expected = {**old, **patch}
    assert json.loads(merged) == {
        key: expected[key] for key in expected if patch.get(key, 0) is not None
    }


@settings(max_examples=200, deadline=None)
@given(value=_VALUES)
def test_a_skeleton_knows_depth_and_members(value: object) -> None:
    shape = Skeleton(json.dumps(value).encode())
    depth = _depth(value)

    assert shape.is_deeper_than(depth) is False
    assert depth == 0 or shape.is_deeper_than(depth - 1)
    assert shape.members == _members(value)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _members(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_members, value.values()))
    return sum(map(_members, value)) if isinstance(value, list) else 0


@pytest.mark.parametrize("text", [b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":["\\\\\\u0000"]}'])
def test_an_escaped_nul_is_refused_and_an_escaped_backslash_is_none(text: bytes) -> None:
    with pytest.raises(Invalid, match="NUL"):
        compact("metadata", text)

    assert compact("metadata", b'{"a":"\\\\u0000"}') == b'{"a":"\\\\u0000"}'


def test_metadata_of_the_greatest_depth_is_accepted() -> None:
    deepest = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH

    assert compact("metadata", deepest) == deepest
    with pytest.raises(Invalid, match="deeper"):
        compact("metadata", b'{"a":%b}' % deepest)

"""Files of JSON in an export: told by their first names, and read value by value within bounds."""

from typing import Any

import pytest

from memferry.sources.reading.json_files import find_names, read_values
from support.source_files import BytesMember, Notes, encode_file


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ([{"a": 1, "b": 2}], {"a", "b"}),
        ([None, 5, "x", {}, [], {"a": 1}], {"a"}),
        ({"a": 1}, {"a"}),
        ({"all": [{"a": 1}]}, {"a"}),
        ({"others": [{"a": 1}]}, {"others"}),
        ('{"a": 1}\n{"b": 1}\n', {"a"}),
        ([], set()),
        ('"a"', set()),
        ("words", set()),
        ("", set()),
    ],
)
def test_a_file_is_told_by_the_names_in_its_first_object(content: Any, names: set[str]) -> None:
    assert find_names(BytesMember("", encode_file(content)), ("all",)).keys() == names


def test_a_value_that_would_take_much_more_memory_than_text_is_rejected_alone() -> None:
    notes = Notes()
    text = b"[" + b"[" + b"[]," * 2_000_000 + b'[]], {"a": 1}]'
    values = [value for _, value in read_values(BytesMember("x", text), notes)]

    assert values == [{"a": 1}]
    assert [(place.at, reason) for place, reason in notes.rejections] == [
        ("[0]", "holds more than 2000000 values")
    ]

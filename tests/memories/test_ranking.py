"""How a search ranks: weights of words, and the rows that are scored."""

import pytest

from memferry.memories.ranking import (
    HALF,
    SCORED_ROWS,
    SMALL_ROWS,
    Ranking,
    Word,
    match_leading,
    match_others,
)

WORDS = [Word(f"'{name}'", name, name, is_weighed=True) for name in "abcd"]
MANY = 1_000_000


def rank(*counts: int) -> Ranking:
    return Ranking(MANY, counts)


def test_a_rarer_word_weighs_more_and_every_word_something() -> None:
    weights = rank(0, 10, 1_000, MANY).weights

    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0


def test_a_word_in_more_rows_than_there_were_when_they_were_counted_has_a_weight() -> None:
    assert Ranking(0, (5, 0)).weights[0] > 0


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        (rank(SCORED_ROWS), True),
        (rank(SCORED_ROWS, 1), False),
        (Ranking(SMALL_ROWS, (SMALL_ROWS, SMALL_ROWS)), True),
        (Ranking(0, (SMALL_ROWS + 1,)), False),
    ],
)
def test_every_row_is_scored_where_words_are_in_few(ranking: Ranking, *, expected: bool) -> None:
    assert ranking.finds_few is expected


def test_words_lead_alone_while_they_are_in_few_rows_together() -> None:
    ranking = rank(MANY, HALF // 2, 10, HALF)

    assert [word.word for word in ranking.pick_rare(WORDS)] == ["c", "b"]
    assert [word.word for word in ranking.pick_common(WORDS)] == ["d", "a"]


def test_words_that_come_independently_meet_as_often_as_chance_has_it() -> None:
    ranking = rank(MANY // 2, MANY // 2)

    assert ranking.estimate_together(1) == pytest.approx(MANY * 3 / 4)
    assert ranking.estimate_together(2) == pytest.approx(MANY / 4)


def test_leading_rows_hold_a_rare_word_or_several_common_ones() -> None:
    ranking = Ranking(MANY, (10, 9_000, 8_000, 7_000), way="leading", together=2)

    assert match_leading(WORDS, ranking) == (
        "('a') | ('d') & ('c') | ('d') & ('b') | ('c') & ('b')"
    )


def test_the_other_rows_are_those_that_are_found_and_not_scored() -> None:
    stop_word = Word("'s'", "s", "s", is_weighed=False)
    every = rank(1, 1, 1, 1)

    assert match_others(WORDS, every) is None
    assert match_others([*WORDS, stop_word], every) == (
        "(('a') | ('b') | ('c') | ('d') | ('s')) & !(('a') | ('b') | ('c') | ('d'))"
    )

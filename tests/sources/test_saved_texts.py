"""Texts that an export repeats are kept once, with the best time, and in bounded memory."""

from memferry.sources.base import Place
from memferry.sources.chats.saved_texts import SAVED_MEMORY, SavedText, SavedTexts
from support.source_files import Notes

PLACE = Place("a", "[0]")


def save(text: str, created_at: int | None = None, *, is_exact: bool = True) -> SavedText:
    return SavedText(
        tag=SAVED_MEMORY, text=text, place=PLACE, created_at=created_at, is_exact=is_exact
    )


def test_an_exact_time_is_better_than_a_day_and_an_early_one_than_a_late_one() -> None:
    appearances = [save("x"), save("x", 5, is_exact=False), save("x", 30), save("x", 20)]
    for order in (appearances, appearances[::-1]):
        texts = SavedTexts(Notes())
        for appearance in order:
            texts.add(appearance)

        assert [record.created_at for record in texts.make_records()] == [20]


def test_blanks_around_a_text_make_no_other_one() -> None:
    texts = SavedTexts(Notes())
    for text in ("Tea", " Tea\n", "", "  "):
        texts.add(save(text))

    assert [record.content for record in texts.make_records()] == ["Tea"]


def test_more_text_than_any_account_has_is_refused() -> None:
    notes = Notes()
    texts = SavedTexts(notes)
    for number in range(70):
        texts.add(save(f"{number}" + "x" * 1024 * 1024))

    assert sum(1 for _ in texts.make_records()) == 63
    assert len(notes.rejections) == 7

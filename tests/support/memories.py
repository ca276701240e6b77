"""Memories that tests save, and how they come back."""

from collections.abc import AsyncIterator

from memferry.memories.service import Batches
from memferry.model.memory import MovedRow, ValidMemory
from support.people import Person

ROW_KEYS = [
    "id",
    "content",
    "namespace",
    "tags",
    "source",
    "source_ref",
    "metadata",
    "created_at",
    "updated_at",
]


AWKWARD = (
    'quotes " and , commas',
    "line\nfeed",
    "carriage\rreturn",
    "both\r\nends\r\n",
    "\ttab",
    "line\u2028separator\u2029",
    "\x01\x02\x1a\x1f\x7f control",
    "emoji 👩‍👩‍👧‍👦 🇨🇭",
    "é and e\u0301",
    "\ufeffmark",
    "=1+1",
    "\\n \\. \\x",
    " blank ",
    ',"."\n',
    '","".""\n"',
)


def save_one_batch(memory: ValidMemory) -> Batches:
    """A bulk save of one memory."""

    async def batches() -> AsyncIterator[list[MovedRow]]:
        yield [MovedRow(index=0, memory=memory, created_at=None, updated_at=None)]

    return batches


def save_everywhere(person: Person, texts: tuple[str, ...] | list[str]) -> None:
    """One memory per text, which stands in all of its columns."""
    person.save_many(
        [
            {"content": each, "namespace": each, "tags": [each], "source": each, "source_ref": each}
            for each in texts
        ]
    )

"""The findings of a checkup, one line each."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import asyncpg

from memferry.errors import MemferryError


@dataclass(frozen=True)
class Finding:
    """One line of a checkup; the mark says whether the operator must act."""

    mark: Literal["ok", "note", "wrong"]
    text: str


Check = Callable[[], AsyncIterator[Finding]]
"""Checks one part and changes nothing; an error that it raises counts as a finding."""


async def run_checks(checks: Mapping[str, Check]) -> AsyncIterator[tuple[str, Finding]]:
    """Run the checks in turn; yields each finding with the name of its part."""
    for part, check in checks.items():
        try:
            async for finding in check():
                yield part, finding
        except (MemferryError, OSError, asyncpg.PostgresError, TimeoutError) as fault:
            yield part, Finding("wrong", str(fault) or type(fault).__name__)

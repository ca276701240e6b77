"""How much one tenant may store."""

from dataclasses import dataclass

from memferry.errors import TooManyMemories, TooManyMemoryBytes


@dataclass(frozen=True, kw_only=True)
class MemoryLimits:
    """Memories of one tenant, and the bytes of their texts and metadata."""

    rows: int = 10_000_000
    bytes: int = 50 * 1024**3

    def refuse(self, *, too_many: bool, too_large: bool) -> None:
        """Raise the limit that is reached, if one is."""
        if too_many:
            raise TooManyMemories(self.rows)
        if too_large:
            raise TooManyMemoryBytes(self.bytes)

"""Only the memories whose metadata contains an object."""

from msgspec import Raw

from memferry.filters.base import Filter
from memferry.model import rules


class Metadata(Filter):
    """JSONB containment (https://www.postgresql.org/docs/current/datatype-json.html), nested.

    An empty object matches every memory, also those without metadata.
    """

    field = "metadata_filter"
    type = Raw
    condition = "($?::jsonb = '{}' OR metadata::jsonb @> $?::jsonb)"
    meaning = "the memory's metadata contains this object"
    always_shown = True
    option = "metadata"
    help = "Metadata contains this JSON object."

    @classmethod
    def check(cls, value: Raw) -> str | None:
        """The object as JSON text: its numbers reach PostgreSQL digit by digit."""
        return rules.check_json_object(
            cls.field,
            value,
            most_bytes=rules.FILTER_BYTES,
            depth=rules.FILTER_DEPTH,
            keys=rules.FILTER_KEYS,
        )

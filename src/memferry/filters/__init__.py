"""The filters a request can have; a new filter is one new file and its line here."""

from memferry.filters.base import Filter
from memferry.filters.created import CreatedAfter, CreatedBefore
from memferry.filters.ids import Ids
from memferry.filters.metadata import Metadata
from memferry.filters.namespace import Namespace
from memferry.filters.selection import Selection
from memferry.filters.tags import Tags
from memferry.filters.updated import UpdatedAfter, UpdatedBefore

FILTERS: tuple[type[Filter], ...] = (
    Namespace,
    Tags,
    Metadata,
    CreatedAfter,
    CreatedBefore,
    UpdatedAfter,
    UpdatedBefore,
    Ids,
)
"""Every filter; lists, searches and exports take all of them."""

__all__ = ["FILTERS", "Filter", "Selection"]

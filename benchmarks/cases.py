"""All cases by name, in the order in which they run and are shown."""

from collections.abc import Callable, Iterator

import backlog
import buckets
import everyday
import exports
import filters
import imports
import others
import parquet
import searches
import size
from measure import Line
from service import Bench

Case = Callable[[Bench], Iterator[Line]]


def all_cases(points: list[size.Point]) -> dict[str, Case]:
    """The cases; the curve's points are put into the list for the plot."""
    return {
        "queued NDJSON": exports.compare_queued_ndjson,
        "queued JSON": exports.compare_queued_json,
        "queued CSV": exports.compare_queued_csv,
        "queued zstd": exports.compare_queued_zstd,
        "queued Parquet": parquet.compare_queued_parquet,
        "queued S3": buckets.compare_queued_s3,
        "inline 10,000 rows": exports.inline_10_000,
        "inline 100 rows": exports.inline_100,
        "curve": lambda bench: size.curve(bench, points),
        "worker memory": size.worker_memory,
        **{f"filter by {name}": filters.make_filter_case(name) for name in filters.filters(0)},
        "import NDJSON": imports.compare_import_ndjson,
        "save one": everyday.save_one,
        "save many": everyday.save_many,
        "list": everyday.list_newest,
        "search": searches.time_searches,
        "locomo": searches.count_missed_turns,
        "p99": everyday.p99_beside_exports,
        "backlog": backlog.compare_backlog,
        **{f"today {way}": others.make_slower_case(way) for way in others.WAYS},
        # Last: they leave indexes away.
        "long: memory": size.worker_memory_long,
        "long: time": size.ten_times_the_rows,
    }

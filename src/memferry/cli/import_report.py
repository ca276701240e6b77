"""The report of an import, as a person reads it."""

from memferry.cli.output import print_line
from memferry.wire.imports import Counts, ImportReport

_SHOWN = 20


def print_report(report: ImportReport) -> None:
    """Print the counts, and the places and reasons of the first rejections."""
    sources = ", ".join(report.sources)
    records, files = _count(report.read, "record"), _count(report.files, "file")
    print_line(f"{records} in {files}, read as {sources}")
    counts = {"created": report.created, "unchanged": report.unchanged, "updated": report.updated}
    _print_counts("", {**counts, **report.skipped, "rejected": report.rejected})
    _print_counts("left out: ", report.left_out)
    _print_counts("repaired: ", report.repaired)
    for rejection in report.rejections[:_SHOWN]:
        print_line(f"rejected: {_locate(rejection.file, rejection.at)}{rejection.reason}")
    if report.rejected > _SHOWN:
        print_line(f"rejected: … and {report.rejected - _SHOWN:,} more")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _print_counts(prefix: str, counts: Counts) -> None:
    for name, count in counts.items():
        if count:
            print_line(f"  {count:>12,}  {prefix}{name}")


def _locate(file: str, at: str) -> str:
    return "".join(f"{word}: " for word in (file, at) if word)

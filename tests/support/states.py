"""The states of a job, and the changes between them that are allowed."""

from memferry.model.job import Status

ALLOWED_CHANGES: dict[Status, frozenset[Status]] = {
    "pending": frozenset({"running", "cancelled"}),
    "running": frozenset({"running", "completed", "failed", "cancelled"}),
    "completed": frozenset({"expired"}),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
"""From which state a job may go to which; running to running is a new attempt."""

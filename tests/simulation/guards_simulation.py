"""Guards of the life of a job."""

from guards import Guard, guard_function, make_false

GUARDS: tuple[Guard, ...] = (
    # Only who holds the lease has a word.
    *guard_function(
        "jobs/lease.py", "Lease.check", "simulation/test_simulation.py", make_false("_is_lost")
    ),
)

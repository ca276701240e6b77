"""Guards of the life of a job."""

from guards import Guard, guard_function, make_false

GUARDS: tuple[Guard, ...] = (
    # Only who holds the lease has a word.
    *guard_function(
        "worker/lease.py", "Lease._check", "simulation/test_simulation.py", make_false("lost")
    ),
)

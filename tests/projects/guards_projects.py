"""Guards of projects: names in use, limits of a token and of a tenant, moves that are whole."""

from guards import Guard, drop, guard_function, guard_statement, make_false

GUARDS: tuple[Guard, ...] = (
    # No name is used twice, and no two groups of memories become one.
    *guard_function(
        "projects/service.py",
        "_move",
        "projects/test_projects.py::test_a_name_in_use_is_refused",
        make_false("projects/find_use"),
    ),
    *guard_statement(
        "projects/create_project",
        "projects/test_projects.py::test_a_name_in_use_is_refused",
        drop("WHERE NOT taken.by_memories"),
    ),
    *guard_function(
        "projects/service.py",
        "_move",
        "projects/test_projects.py::test_a_project_with_more_memories_than_a_name_may_move_keeps_its_name",
        make_false("MOVED_ROWS"),
    ),
    # A deletion is whole.
    *guard_statement(
        "erasure/delete_project",
        "projects/test_projects.py::test_a_deletion_deletes_all_memories_as_single_deletions_do",
        drop(", note('project.deleted', ...)"),
    ),
)

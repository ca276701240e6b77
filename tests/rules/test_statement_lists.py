"""Each statement stands in the list of those that run as it does, and in no other."""

from support.mutants import list_relations, parse_statement
from support.statements import (
    ACROSS,
    OF_SERVERS,
    OF_SESSIONS,
    OF_THE_OWNER,
    OF_THE_SESSION,
    OF_WORKERS,
    STATEMENTS,
)
from support.tenancy import ACROSS_TENANTS

RELATIONS = {name: list_relations(parse_statement(each)) for name, each in STATEMENTS.items()}


def test_the_list_of_statements_across_tenants_is_complete() -> None:
    assert {name for name, views in RELATIONS.items() if views & ACROSS_TENANTS.keys()} == ACROSS


def test_the_list_of_statements_of_the_owner_is_complete() -> None:
    of_the_owner = {
        name
        for name, relations in RELATIONS.items()
        if any(each.startswith("memferry.") for each in relations)
    }

    assert of_the_owner == OF_THE_OWNER


def test_the_list_of_statements_that_make_tables_is_complete() -> None:
    created = {name for name, each in STATEMENTS.items() if "CREATE TEMPORARY" in each}

    assert created == OF_THE_SESSION


def test_statements_on_sessions_read_nothing_else() -> None:
    of_sessions = {name for name, relations in RELATIONS.items() if "pg_stat_activity" in relations}

    assert of_sessions == OF_SESSIONS
    # And at who has signed in, which is no tenant's.
    assert all(RELATIONS[name] <= {"pg_stat_activity", "workers"} for name in of_sessions)


def test_statements_on_workers_read_nothing_else() -> None:
    assert {name for name, relations in RELATIONS.items() if relations == {"workers"}} == OF_WORKERS


def test_statements_on_servers_read_nothing_else() -> None:
    # The row of the service's own keys tells which of two servers has seen a change.
    assert all(RELATIONS[name] <= {"keys"} for name in OF_SERVERS)

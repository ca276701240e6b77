"""Exports from a standby: the same bytes, nothing missing, and the primary when it is not fit."""

import os
import signal
from collections.abc import Callable

import pytest

from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable, TransactionConflict
from support.faults import POISONED
from support.gates import Step
from support.sessions import open_session
from support.sites import NOT_READ, READERS, Site, close_gate, count
from support.standby import promote, run_standby
from support.tcp_postgres import TcpServer
from support.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

_WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE application_name LIKE 'memferry worker%' AND query LIKE '%pg_last_wal_replay_lsn%'"
)


def test_an_export_from_a_standby_has_the_bytes_of_one_from_the_primary(site: Site) -> None:
    with run_standby(site.primary) as standby:
        site.start_worker(standby.url("memferry"))
        export = site.plant.ask()
        site.plant.assert_right(export)

    assert site.find_attempt(export) == (1, "standby")
    assert NOT_READ not in site.log()


def test_an_export_from_a_standby_waits_for_all_earlier_saves(site: Site) -> None:
    with run_standby(site.primary) as standby, open_session(standby.url()) as session:
        site.start_worker(standby.url("memferry"))
        site.plant.assert_right(site.plant.ask())
        session("SELECT pg_wal_replay_pause()")
        before = site.plant.person.save("saved before the request", namespace="late")
        export = site.plant.ask(POISONED)
        wait_until(lambda: count(standby, _WAITING))
        after = site.plant.person.save("saved after the request", namespace="late")
        session("SELECT pg_wal_replay_resume()")
        content = site.content(export)

    done = site.plant.show(export)
    assert "saved before the request" in content
    assert before["created_at"] <= done["snapshot_at"] <= after["created_at"]
    assert site.find_attempt(export) == (1, "standby")


def test_a_standby_that_lags_too_far_is_not_waited_for(site: Site) -> None:
    with run_standby(site.primary, "recovery_min_apply_delay=1h") as standby:
        site.start_worker(standby.url("memferry"))
        site.plant.person.save("not replayed", namespace="late")
        exports = [site.plant.ask(POISONED) for _ in range(3)]
        contents = [site.content(export) for export in exports]

    assert all("not replayed" in content for content in contents)
    assert {site.find_attempt(export) for export in exports} == {(1, "primary")}
    assert site.log().count(NOT_READ) == 1
    assert "it has not replayed within 10 s what the primary has" in site.log()


def crash(standby: TcpServer) -> None:
    """Kill one session of a worker: the server then ends all others and starts anew by itself."""
    with open_session(standby.url("memferry")) as session:
        reader, *_ = session(READERS)
    os.kill(reader["pid"], signal.SIGKILL)


@pytest.mark.parametrize(
    "end", [TcpServer.kill, TcpServer.stop, crash], ids=lambda end: end.__name__
)
def test_an_export_whose_standby_dies_is_written_from_the_primary(
    site: Site, end: Callable[[TcpServer], None]
) -> None:
    with run_standby(site.primary) as standby:
        site.start_worker(standby.url("memferry"))
        with close_gate(standby, Step.MIDDLE) as gate:
            export = site.plant.ask()
            gate.wait()
            end(standby)
        site.plant.assert_right(export)

    assert site.find_attempt(export) == (2, "primary")
    site.plant.assert_one_file(export)


@pytest.mark.parametrize("step", [Step.FIRST_BYTES, Step.MIDDLE], ids=lambda step: step.name)
def test_an_export_cancelled_by_recovery_is_written_from_the_primary(
    site: Site, step: Step
) -> None:
    options = ("max_standby_streaming_delay=0", "hot_standby_feedback=off")
    with run_standby(site.primary, *options) as standby:
        site.start_worker(standby.url("memferry"))
        with close_gate(standby, step) as gate:
            export = site.plant.ask()
            gate.wait()
            junk = site.plant.person.save("junk", namespace="junk")
            assert site.plant.person.delete(f"/api/memories/{junk['id']}").is_success
            site.plant.sql("VACUUM memferry.memories")
            reason = wait_until(lambda: site.plant.row(export)["last_error"])
        site.plant.assert_right(export)

    assert reason in (str(TransactionConflict()), str(DatabaseUnavailable()))
    assert site.find_attempt(export) == (2, "primary")


def test_a_promotion_during_an_export_changes_no_byte(site: Site) -> None:
    with run_standby(site.primary) as standby:
        site.start_worker(standby.url("memferry"))
        with close_gate(standby, Step.MIDDLE) as gate:
            export = site.plant.ask()
            gate.wait()
            promote(standby)
            with open_session(standby.url("memferry")) as session:
                session("DELETE FROM memferry.memories WHERE source IS DISTINCT FROM 'gate 4'")
                session("VACUUM memferry.memories")
        site.plant.assert_right(export)
        next_export = site.plant.ask()
        site.plant.assert_right(next_export)

    assert site.find_attempt(export) == (1, "standby")
    assert site.find_attempt(next_export) == (1, "primary")
    assert f"{NOT_READ}it is not in recovery" in site.log()


def position_after_switch(primary: TcpServer) -> int:
    """How far into a segment of the log the position is, just after the log was switched."""
    with open_session(primary.url("memferry")) as session:
        session("SET search_path = memferry_service")
        session("SELECT pg_switch_wal()")
        (row,) = session(sql("database/read_position"))
        (size,) = session("SELECT pg_size_bytes(current_setting('wal_segment_size')) AS size")
    position: int = row["lsn"] % size["size"]
    return position


def test_a_position_is_never_behind_a_segment_header_that_no_standby_replays(site: Site) -> None:
    # Whatever else is at work in the server may write a record at any time.
    wait_until(lambda: position_after_switch(site.primary) == 0)


def test_a_halted_worker_holds_no_snapshot_of_the_standby_for_long(site: Site) -> None:
    with run_standby(site.primary) as standby, close_gate(standby, Step.MIDDLE) as gate:
        halted = site.start_worker(standby.url("memferry"))
        export = site.plant.ask()
        gate.wait()
        halted.send_signal(signal.SIGSTOP)
        site.plant.sql("UPDATE memferry.workers SET seen_at = now() - interval '1 minute'")
        assert count(standby, READERS)
        site.start_worker(standby.url("memferry"))
        wait_until(lambda: count(standby, READERS) == 0)
        site.plant.assert_right(export)

    assert site.find_attempt(export) == (2, "primary")

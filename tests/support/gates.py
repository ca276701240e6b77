"""Gates in the database, at which a test stops an export whose worker runs unchanged."""

from enum import IntEnum

from support.sessions import Session
from support.waiting import wait_until

ROWS = 30_000
_GATES = 0x6761


class Step(IntEnum):
    """The points of an export's life at which a gate can stop its worker, in order."""

    CLAIMED = 1
    """The claim is being committed; the worker has not heard of it."""
    SNAPSHOT = 2
    """The snapshot is taken, and PostgreSQL looks at the first row."""
    FIRST_BYTES = 3
    MIDDLE = 4
    WRITTEN = 5
    """All bytes are written, and the file has no name yet."""
    NAMED = 6
    """File and manifest are whole under their names; the publication is asked for.

    It holds the turn of manifests, and has locked no row.
    """
    PUBLISHED = 7
    """The publication is being committed; the worker has not heard of it."""
    POISON = 8


FIRST_ROWS = 2_000
GATE_ROWS = {0: Step.SNAPSHOT, FIRST_ROWS: Step.FIRST_BYTES, ROWS // 2: Step.MIDDLE}

# The gates stand in the database, so that real workers run unchanged, in a schema that migrations
# leave alone. A closed gate is an advisory lock that a test holds; who passes takes it
# shared for a moment, and so waits while it is closed.
INSTALL = f"""
CREATE FUNCTION public.pass_gate(number integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_lock_shared({_GATES}, number);
    PERFORM pg_advisory_unlock_shared({_GATES}, number);
    RETURN true;
END
$$;
CREATE OR REPLACE VIEW memferry_service.memories AS
SELECT id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at,
    expires_at
FROM memferry.memories WHERE tenant_id = current_setting('memferry.tenant')::uuid
    AND CASE WHEN source LIKE 'gate %'
        THEN public.pass_gate(substr(source, 6)::integer) ELSE true END;
-- A sort would pass every gate before the first row goes out.
ALTER DATABASE memferry SET enable_seqscan = off;
ALTER DATABASE memferry SET enable_bitmapscan = off;
ALTER DATABASE memferry SET enable_sort = off;
CREATE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.pass_gate(TG_ARGV[0]::integer);
    RETURN NEW;
END
$$;
CREATE CONSTRAINT TRIGGER claimed AFTER UPDATE ON memferry.jobs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.attempt > OLD.attempt) EXECUTE FUNCTION public.gate({Step.CLAIMED});
CREATE TRIGGER written BEFORE UPDATE ON memferry.jobs FOR EACH ROW
    WHEN (NEW.attempt = OLD.attempt AND NEW.status = 'running' AND NEW.rows_done = {ROWS})
    EXECUTE FUNCTION public.gate({Step.WRITTEN});
CREATE TRIGGER named BEFORE UPDATE ON memferry.jobs FOR EACH STATEMENT
    WHEN (current_query() LIKE '-- Publish the result%')
    EXECUTE FUNCTION public.gate({Step.NAMED});
CREATE CONSTRAINT TRIGGER published AFTER UPDATE ON memferry.jobs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status = 'running' AND NEW.status = 'completed')
    EXECUTE FUNCTION public.gate({Step.PUBLISHED});
"""


class Gate:
    """One closed gate: exports wait at it until it is opened."""

    def __init__(self, session: Session, step: Step) -> None:
        self._session = session
        self._step = step
        session("SELECT pg_advisory_lock($1, $2)", _GATES, step)

    def count_waiting(self) -> int:
        """How many wait here now."""
        (row,) = self._session(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1"
            " AND objid = $2 AND NOT granted",
            _GATES,
            self._step,
        )
        number: int = row[0]
        return number

    def wait(self, seconds: float = 30) -> None:
        """Return once an export has come here."""
        wait_until(self.count_waiting, seconds=seconds)

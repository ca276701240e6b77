-- Remove up to $2 entries of the change log that are older than $1 seconds, the oldest first; answers how many. Another
-- sweep, and deletions that take words out of entries, are passed by.
WITH old AS (
    SELECT tenant_id, memory_id, saved_at, version FROM change_queue
    WHERE stored_at < now_ms() - $1::bigint * 1000
    ORDER BY stored_at LIMIT $2 FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM change_queue AS change USING old
    WHERE change.tenant_id = old.tenant_id AND change.memory_id = old.memory_id
        AND change.saved_at = old.saved_at AND change.version = old.version
    RETURNING change.version
)
SELECT count(*) FROM forgotten

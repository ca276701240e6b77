-- Move memories into another namespace, and tell the webhooks. updated_at rises even within one millisecond.
WITH moved AS (
    UPDATE memories SET namespace = $2, updated_at = greatest(now_ms(), updated_at + 1)
    WHERE id = ANY ($1::uuid[])
    RETURNING *
)
SELECT (SELECT count(*) FROM moved) AS moved,
    CASE WHEN EXISTS (SELECT FROM moved) AND EXISTS (SELECT FROM webhooks)
        THEN tell('memory.updated', VARIADIC (SELECT array_agg(show_memory(moved)::json) FROM moved)) END

-- Change what is given. updated_at moves even within one millisecond.
WITH changed AS (
    UPDATE memories SET
        content = coalesce($2, content),
        tags = coalesce($3::text[], tags),
        namespace = coalesce($4, namespace),
        metadata = coalesce($5::json, metadata),
        updated_at = greatest(now_ms(), updated_at + 1)
    WHERE id = $1
    RETURNING *
)
SELECT row_to_json(changed)::text, tell('memory.updated', row_to_json(changed)) FROM changed

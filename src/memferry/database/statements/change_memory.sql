-- Change what is given. Metadata is merged at its top level, and a null there removes the key.
-- updated_at moves even within one millisecond.
WITH changed AS (
    UPDATE memories SET
        content = coalesce($2, content),
        tags = coalesce($3::text[], tags),
        namespace = coalesce($4, namespace),
        metadata = CASE
            WHEN $5::jsonb IS NULL THEN metadata
            ELSE (coalesce(metadata, '{}') || $5::jsonb)
                - ARRAY(SELECT key FROM jsonb_each($5::jsonb) WHERE value = 'null')
        END,
        updated_at = greatest(now_ms(), updated_at + 1)
    WHERE id = $1
    RETURNING *
)
SELECT row_to_json(changed)::text, tell('memory.updated', row_to_json(changed)) FROM changed

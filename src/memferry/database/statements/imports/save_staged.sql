-- Save the staged rows that are new, each as the version that its history ends with; a time that the file does not have is now. An id that another statement has saved
-- meanwhile, or that the token's limit hides, is passed over, and missing in the count.
WITH saved AS (
    INSERT INTO stored_memories (id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at,
        expires_at, version)
    SELECT staged.id, staged.content, staged.namespace, staged.tags, staged.source, staged.source_ref,
        staged.metadata::json, coalesce(staged.created_at, now),
        coalesce(staged.updated_at, staged.created_at, now), coalesce(staged.expires_at, now + retention.ms),
        coalesce((staged.history::json -> -1 ->> 'version')::integer, 1)
    FROM now_ms() AS now, staged_memories AS staged
    LEFT JOIN retentions AS retention ON retention.namespace = staged.namespace
    WHERE NOT EXISTS (SELECT FROM settled_memories AS settled WHERE settled.place = staged.place)
    ON CONFLICT DO NOTHING
    RETURNING text_bytes(content, source_ref, tags, metadata) AS bytes
)
SELECT count(*) AS rows, coalesce(sum(bytes), 0)::bigint AS bytes FROM saved

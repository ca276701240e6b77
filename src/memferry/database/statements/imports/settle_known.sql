-- What becomes of staged rows whose memory is there already; $1 says what of those that differ. Times that the file does
-- not have, and the time of the last change, make no difference: overwriting a row changes it now.
INSERT INTO settled_memories (place, id, outcome)
SELECT staged.place, staged.id,
    CASE WHEN memory.content = staged.content AND memory.namespace = staged.namespace AND memory.tags = staged.tags
            AND memory.source = staged.source AND memory.source_ref IS NOT DISTINCT FROM staged.source_ref
            AND memory.metadata::text IS NOT DISTINCT FROM staged.metadata
            AND memory.created_at = coalesce(staged.created_at, memory.created_at)
            AND memory.expires_at IS NOT DISTINCT FROM coalesce(staged.expires_at, memory.expires_at)
        THEN 'unchanged' ELSE $1::text END
FROM staged_memories AS staged
JOIN memories AS memory ON memory.id = staged.id
WHERE NOT EXISTS (SELECT FROM settled_memories AS settled WHERE settled.place = staged.place)

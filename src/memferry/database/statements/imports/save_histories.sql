-- Add the histories that the file brings of the memories that this transaction has saved. Those of others stay as they
-- are. The namespace after a change is that of the next former state, after the last one that of the memory.
WITH entry AS (
    SELECT memory.id, memory.saved_at, memory.namespace, (value ->> 'version')::integer AS version,
        (value ->> 'at')::bigint AS changed_at, value ->> 'kind' AS kind, value ->> 'former' AS former
    FROM staged_memories AS staged
    JOIN stored_memories AS memory ON memory.id = staged.id
    CROSS JOIN LATERAL json_array_elements(staged.history::json) AS value
    WHERE staged.history IS NOT NULL AND memory.changed_in = pg_current_xact_id()
        AND NOT EXISTS (SELECT FROM settled_memories AS settled WHERE settled.place = staged.place)
)
INSERT INTO changes (memory_id, saved_at, version, changed_at, kind, namespaces, prev_content_len, former)
SELECT id, saved_at, version, changed_at, kind,
    ARRAY[
        digest_namespace(former::json ->> 'namespace'),
        digest_namespace(coalesce(
            lead(former::json ->> 'namespace') OVER (PARTITION BY id ORDER BY version), namespace))],
    length(former::json ->> 'content'), former
FROM entry

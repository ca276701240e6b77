-- These memories in the order of the ids. Rows of more than $2 bytes are not rendered here; render_memories renders
-- them later.
SELECT described.id, described.bytes, CASE WHEN described.bytes <= $2 THEN row_to_json(described.memory)::text END AS row
FROM (
    SELECT requested.place, memory.id, memory,
        text_bytes(memory.content, memory.source_ref, memory.tags, memory.metadata) AS bytes
    FROM unnest($1::uuid[]) WITH ORDINALITY AS requested (id, place)
    CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = requested.id) AS memory
) AS described
ORDER BY described.place

-- These memories in the order of the ids. Rows of more than $2 bytes are not rendered here; render_memories renders
-- them later.
SELECT described.id, described.bytes, CASE WHEN described.bytes <= $2 THEN show_memory(described.memory) END AS row
FROM (
    SELECT requested.place, requested.id, found.memory, found.bytes
    FROM unnest($1::uuid[]) WITH ORDINALITY AS requested (id, place)
    CROSS JOIN LATERAL (
        SELECT memory, text_bytes(content, source_ref, tags, metadata) AS bytes
        FROM memories AS memory WHERE memory.id = requested.id
    ) AS found
) AS described
ORDER BY described.place

-- These memories rendered as JSON, with their places in the list; those deleted meanwhile are missing.
SELECT requested.place, row_to_json(memory)::text AS row
FROM unnest($1::uuid[]) WITH ORDINALITY AS requested (id, place)
CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = requested.id) AS memory

-- These memories with their places in the list, as far as they are still there.
SELECT asked.place, row_to_json(memory)::text AS row
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = asked.id) AS memory

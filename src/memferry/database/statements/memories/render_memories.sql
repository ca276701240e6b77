-- These memories rendered as JSON, with their places in the list; those deleted meanwhile are missing.
SELECT requested.place, show_memory(memory) AS row
FROM unnest($1::uuid[]) WITH ORDINALITY AS requested (id, place)
CROSS JOIN LATERAL (SELECT memory FROM memories AS memory WHERE memory.id = requested.id) AS found

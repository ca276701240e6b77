-- As render_memories, for the hits of a search with their scores.
SELECT requested.place, show_hit(found.memory, requested.score) AS row
FROM unnest($1::uuid[], $2::real[]) WITH ORDINALITY AS requested (id, score, place)
CROSS JOIN LATERAL (SELECT memory FROM memories AS memory WHERE memory.id = requested.id) AS found

-- As render_memories, of hits of a search with their scores.
SELECT hit.place, row_to_json(hit.row)::text AS row
FROM (
    SELECT asked.place, scored AS row
    FROM unnest($1::uuid[], $2::real[]) WITH ORDINALITY AS asked (id, score, place)
    CROSS JOIN LATERAL (SELECT memories.*, asked.score FROM memories WHERE memories.id = asked.id) AS scored
) AS hit

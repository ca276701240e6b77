-- As render_memories, for the hits of a search with their scores.
SELECT hit.place, row_to_json(hit.row)::text AS row
FROM (
    SELECT requested.place, scored AS row
    FROM unnest($1::uuid[], $2::real[]) WITH ORDINALITY AS requested (id, score, place)
    CROSS JOIN LATERAL (SELECT memories.*, requested.score FROM memories WHERE memories.id = requested.id) AS scored
) AS hit

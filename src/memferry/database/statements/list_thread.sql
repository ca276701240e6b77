-- The pieces of one conversation or document. Containment uses the metadata index; ->> would not.
SELECT row_to_json(memory)::text
FROM memories AS memory
WHERE source_ref = $1 OR metadata @> jsonb_build_object('parent_ref', $1::text)
ORDER BY
    CASE WHEN jsonb_typeof(metadata -> 'chunk_index') = 'number'
        THEN (metadata ->> 'chunk_index')::numeric END NULLS LAST,
    created_at, id
LIMIT 10000

-- A store of LangGraph: the namespace is its labels joined by dots, the text the first of the usual fields of the value
-- that is one, else the whole value.
SELECT coalesce(value ->> text.field, value::text, '') AS content,
    item.prefix AS namespace,
    item.prefix || '/' || item.key AS key,
    '{}'::text[] AS tags,
    item.key AS source_ref,
    CASE WHEN text.field IS NULL OR jsonb_typeof(value) <> 'object' THEN '{}' ELSE value - text.field END AS metadata,
    jsonb_strip_nulls(jsonb_build_object('expires_at', to_jsonb(item) -> 'expires_at')) AS origin,
    round(extract(epoch FROM item.created_at) * 1000)::bigint AS created_at,
    round(extract(epoch FROM item.updated_at) * 1000)::bigint AS updated_at
FROM {table} AS item
LEFT JOIN LATERAL (
    SELECT field FROM unnest('{content,memory,text,data}'::text[]) WITH ORDINALITY AS usual (field, place)
    WHERE jsonb_typeof(item.value -> field) = 'string'
    ORDER BY place LIMIT 1
) AS text ON true

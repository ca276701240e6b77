-- A collection of mem0 in pgvector: the text is in the payload, and so are the times, as text of ISO 8601. A text that is
-- no time, such as the 31st of February, stays where it was.
SELECT coalesce(payload ->> 'data', '') AS content,
    coalesce(payload ->> 'user_id', payload ->> 'agent_id', payload ->> 'run_id', 'default') AS namespace,
    item.id::text AS key,
    '{}'::text[] AS tags,
    item.id::text AS source_ref,
    payload - 'data' - CASE WHEN created_at IS NOT NULL THEN 'created_at' ELSE 'data' END
        - CASE WHEN updated_at IS NOT NULL THEN 'updated_at' ELSE 'data' END AS metadata,
    '{}'::jsonb AS origin,
    created_at,
    coalesce(updated_at, created_at) AS updated_at
FROM {table} AS item
CROSS JOIN LATERAL (
    SELECT max(ms) FILTER (WHERE field = 'created_at') AS created_at, max(ms) FILTER (WHERE field = 'updated_at') AS updated_at
    FROM unnest('{created_at,updated_at}'::text[]) AS field
    CROSS JOIN LATERAL (SELECT item.payload ->> field AS text) AS field_text
    CROSS JOIN LATERAL (
        SELECT CASE WHEN text ~ '^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?( ?(Z|[+-](0\d|1[0-4]):?[0-5]\d))?)?$'
            THEN CASE WHEN substr(text, 9, 2)::integer <= extract(day FROM
                    make_date(substr(text, 1, 4)::integer, substr(text, 6, 2)::integer, 1) + interval '1 month -1 day')
                THEN round(extract(epoch FROM text::timestamptz) * 1000)::bigint
            END
        END AS ms
    ) AS parsed
) AS times

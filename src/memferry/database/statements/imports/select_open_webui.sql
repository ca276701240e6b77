-- The memories of Open WebUI, whose times are epoch seconds.
SELECT coalesce(content, '') AS content, coalesce(user_id, '') AS namespace, id AS key, '{}'::text[] AS tags, id AS source_ref, '{}'::jsonb AS metadata,
    '{}'::jsonb AS origin, created_at * 1000 AS created_at, updated_at * 1000 AS updated_at
FROM {table}

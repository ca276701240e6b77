-- Projects after the place ($2, $3), the most recently active first; a memory that is saved or changed makes its project
-- active. All memories are read, as for the list of namespaces. A namespace without a row gets one: made by another
-- request meanwhile, it is the same row.
WITH active AS (
    SELECT namespace AS name, count(*) AS memory_count, min(created_at) AS first_at, max(updated_at) AS last_at
    FROM memories GROUP BY namespace
), page AS (
    SELECT project.id, name, project.description, project.metadata, coalesce(active.memory_count, 0) AS memory_count,
        project.archived_at, project.retention_days, coalesce(project.created_at, active.first_at) AS created_at,
        greatest(project.updated_at, active.last_at) AS updated_at
    FROM projects AS project FULL JOIN active USING (name)
    WHERE (-greatest(project.updated_at, active.last_at), name) > ($2::bigint, $3)
    ORDER BY updated_at DESC, name LIMIT $1
), made AS (
    INSERT INTO projects AS project (name, created_at, updated_at)
    SELECT name, created_at, updated_at FROM page WHERE id IS NULL ORDER BY name
    ON CONFLICT (tenant_id, name) DO UPDATE SET name = excluded.name
    RETURNING project.id, project.name
)
SELECT row_to_json(shown)::text AS row, -updated_at AS place, name
FROM (
    SELECT coalesce(page.id, made.id) AS id, page.name, page.description, coalesce(page.metadata, '{}') AS metadata,
        page.memory_count, page.archived_at, page.created_at, page.updated_at, page.retention_days
    FROM page LEFT JOIN made ON made.name = page.name
) AS shown
ORDER BY updated_at DESC, name

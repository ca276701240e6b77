-- One project with the number of its memories, as list_projects shows it.
SELECT row_to_json(shown)::text AS row
FROM (
    SELECT project.id, project.name, project.description, project.metadata, active.memory_count, project.archived_at,
        project.created_at, greatest(project.updated_at, active.last_at) AS updated_at,
        project.retention_days
    FROM projects AS project
    CROSS JOIN LATERAL (
        SELECT count(*) AS memory_count, max(updated_at) AS last_at FROM memories WHERE namespace = project.name
    ) AS active
    WHERE project.id = $1
) AS shown

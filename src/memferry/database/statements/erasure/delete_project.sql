-- Delete a project that has no memories left, and write the audit entry with the number $2 of those it had.
WITH deleted AS (
    DELETE FROM projects AS project
    WHERE project.id = $1 AND NOT EXISTS (SELECT FROM memories WHERE namespace = project.name)
    RETURNING id
)
SELECT id, note('project.deleted', 'ok', id::text, row_count => $2) FROM deleted

-- Up to $2 memories of a project; no row at all if there is no such project.
SELECT project.name, ARRAY(SELECT id FROM memories WHERE namespace = project.name LIMIT $2) AS ids
FROM projects AS project WHERE project.id = $1

-- Whether a project or memories have this name.
SELECT EXISTS (SELECT FROM projects WHERE name = $1) OR EXISTS (SELECT FROM memories WHERE namespace = $1)

-- The rows of an export in their one order, each rendered by the format; run inside COPY (...) TO STDOUT.
SELECT {columns}
FROM memories AS memory
WHERE {filters}
ORDER BY created_at, id

-- About one in $1 rows of an export, at most $2, in no order: what all of them are like. Run inside COPY (...) TO STDOUT.
-- The hash of its id chooses a row, so that of all others only an index is read, where one has what the filters ask for.
-- OFFSET 0 keeps both subqueries apart, as in export_by_key.
SELECT {columns}
FROM (
    SELECT id AS key_id FROM memories WHERE {filters} AND uuid_hash(id) % $1::integer = 0 LIMIT $2::integer
) AS key
-- To a document it is as if all stood in the middle of a thread: of headings there are few.
CROSS JOIN (
    VALUES (false, false, true, false, false)
) AS place (begins_namespace, begins_thread, in_thread, ends_thread, ends_namespace)
CROSS JOIN LATERAL (SELECT * FROM memories WHERE memories.id = key.key_id OFFSET 0) AS memory

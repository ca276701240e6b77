-- The rows of one range of an export's order, like export_rows otherwise; run inside COPY (...) TO STDOUT.
SELECT {columns}
FROM memories AS memory
WHERE {filters}
    AND (created_at, id) > ($1::bigint, $2::uuid) AND (created_at, id) <= ($3::bigint, $4::uuid)
ORDER BY created_at, id

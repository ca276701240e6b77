-- Queue an import of a file that has come, in the place of its upload: at every moment one of the two keeps the file from
-- the sweeper. The notification is a hint that spares a worker its poll. The tenant's row is shared as in save_memory.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), ended AS (
    DELETE FROM import_uploads WHERE id = $1 AND leased_until >= now() RETURNING id
), made AS (
    INSERT INTO imports (id, status, request, needs, row_count, file_bytes, file_sha256)
    SELECT ended.id, 'pending', $2::json, $3, 0, $4::bigint, $5::bytea FROM ended, home
    RETURNING *
)
SELECT made.*, pg_notify('memferry_jobs', ''),
    note('import.created', 'ok', made.id, NULL, NULL, made.file_bytes, made.request ->> 'format')
FROM made

-- Queue an export; the notification is a hint that spares a worker its poll.
-- The tenant's row is shared until it can be seen, for the reasons in create_completed_export.
WITH home AS (
    SELECT erasures FROM tenant FOR SHARE
), made AS (
    INSERT INTO exports (id, status, request, needs, row_count) SELECT $1, 'pending', $2::json, $3, $4 FROM home
    RETURNING *
)
SELECT made.*, pg_notify('memferry_jobs', ''),
    note('export.created', 'ok', made.id, made.request -> 'filters', made.row_count, NULL, made.request ->> 'format')
FROM made

-- Queue an export; the notification is a hint that spares a worker its poll.
-- The tenant's row is shared until it can be seen, for the reasons in create_completed_export.
WITH home AS (
    SELECT erasures FROM tenant FOR SHARE
), made AS (
    INSERT INTO exports (id, status, format, filters, row_count, compression, csv_safe,
        encrypt_to)
    SELECT $1, 'pending', $2, $3::json, $4, $5, $6, $7 FROM home
    RETURNING *
)
SELECT made.*, pg_notify('memferry_exports', ''),
    note('export.created', 'ok', made.id, made.filters, made.row_count, NULL, made.format)
FROM made

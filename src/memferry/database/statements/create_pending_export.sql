-- Queue an export; the notification is a hint that spares a worker its poll.
WITH made AS (
    INSERT INTO exports (id, status, format, filters, row_count, compression)
    VALUES ($1, 'pending', $2, $3::json, $4, $5)
    RETURNING *
)
SELECT made.*, pg_notify('memferry_exports', ''),
    note('export.created', 'ok', made.id, made.filters, made.row_count, NULL, made.format)
FROM made

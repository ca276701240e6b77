-- Queue an export; the notification is a hint that spares a worker its poll.
WITH made AS (
    INSERT INTO exports (id, status, format, filters, row_count)
    VALUES ($1, 'pending', $2, $3::json, $4)
    RETURNING *
)
SELECT made.*, pg_notify('memferry_exports', '') FROM made

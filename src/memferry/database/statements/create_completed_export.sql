-- An export that ran in its request: the row and the payload appear together.
WITH made AS (
    INSERT INTO exports (id, status, format, filters, row_count, rows_done, bytes_done, sha256, completed_at)
    SELECT $1, 'completed', $2, $3::json, $4, $4, octet_length($5::bytea), $6, now_ms()
    RETURNING *
), kept AS (
    INSERT INTO export_payloads (export_id, payload) SELECT id, $5 FROM made
), event AS (
    SELECT id, status, format, row_count, error, created_at, completed_at FROM made
)
SELECT made.*, tell('export.completed', row_to_json(event)) FROM made, event

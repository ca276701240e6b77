-- An export that ran in its request: the row and the payload appear together.
-- Webhooks are told afterwards (tell_completed): to lock them here would fail when a delivery was noted meanwhile. The
-- function that notes, which must be planned, is not called.
-- The transaction began in the statement that took its snapshot, so its time is the snapshot's.
-- The tenant's row is shared until then: a deletion that reaches exports waits and finds this one, and if one has
-- come since the snapshot, the transaction fails. No row comes back where the tenant is leaving.
-- With the row comes what its manifest is made of, as of the snapshot.
WITH home AS (
    SELECT erasures FROM tenant FOR SHARE
), made AS (
    INSERT INTO exports (id, status, request, row_count, rows_done, bytes_done, sha256,
        snapshot_at, completed_at, expires_at, untold, expired_rows)
    SELECT $1, 'completed', $2::json, $3, $3, $4, $5,
        floor(extract(epoch FROM now()) * 1000)::bigint, now_ms(), now_ms() + $7::bigint,
        CASE WHEN EXISTS (SELECT FROM webhooks) THEN true END, $8::bigint
    FROM home
    RETURNING *
), kept AS (
    INSERT INTO export_payloads (export_id, payload) SELECT id, $6 FROM made
), noted AS (
    INSERT INTO audit (event, outcome, subject, filters_sha256, row_count, byte_count, detail)
    SELECT event, 'ok', id, sha256(convert_to((request -> 'filters')::text, 'UTF8')), row_count, size,
        request ->> 'format'
    FROM made, (VALUES ('export.created', NULL), ('export.completed', $4::bigint)) AS entry (event, size)
)
SELECT made.*, last.sequence AS last_sequence, last.sha256 AS last_sha256,
    (SELECT value FROM keys WHERE name = 'manifests') AS signing_key,
    (SELECT max(name) FROM public.memferry_migrations) AS schema
FROM made
LEFT JOIN (SELECT sequence, sha256 FROM manifest_chain ORDER BY sequence DESC LIMIT 1) AS last ON true

-- Take the key for this transaction, unless a request that runs has it; and see what it stood for before.
SELECT pg_try_advisory_xact_lock(
        hashtextextended(current_setting('memferry.tenant') || ' ' || $1, 0)) AS free,
    known.request_sha256, known.export_id
FROM (SELECT) AS this LEFT JOIN idempotency_keys AS known
    ON known.key = $1 AND known.created_at >= now_ms() - 86400000

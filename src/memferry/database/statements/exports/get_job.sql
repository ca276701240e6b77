-- What the holder of a lease has to do, and how the attempts before ended. The filters name the namespaces that its
-- token was limited to. An export that was queued while its token was being revoked ends here.
WITH cancelled AS (
    UPDATE exports
    SET status = 'cancelled', completed_at = now_ms(), leased_by = NULL, leased_until = NULL
    WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
        AND EXISTS (SELECT FROM tokens WHERE tokens.id = exports.token_id AND tokens.revoked_at IS NOT NULL)
    RETURNING id, token_id
), noted AS (
    INSERT INTO audit (event, outcome, subject, detail, token_id)
    SELECT 'export.cancelled', 'ok', id, 'token revoked', token_id FROM cancelled
)
SELECT format, compression, csv_safe, encrypt_to,
    CASE WHEN namespaces IS NULL THEN filters
        ELSE (filters::jsonb || jsonb_build_object('namespaces', namespaces))::json END AS filters,
    failures, last_error
FROM exports
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
    AND NOT EXISTS (SELECT FROM cancelled)

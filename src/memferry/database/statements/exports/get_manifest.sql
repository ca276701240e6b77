-- How an export stands, and its manifest; only an export of the token $2, where that is given.
SELECT status, status = 'completed' AND expires_at <= now_ms() AS lapsed, manifest.text
FROM exports LEFT JOIN export_manifests AS manifest ON manifest.export_id = exports.id
WHERE exports.id = $1 AND ($2::uuid IS NULL OR exports.token_id = $2)

-- From now on the token is unknown: every request asks anew.
UPDATE memferry.tokens SET revoked_at = memferry_service.now_ms()
WHERE (id = $1 OR sha256 = $2) AND revoked_at IS NULL
RETURNING id

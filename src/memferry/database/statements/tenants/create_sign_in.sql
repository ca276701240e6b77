-- A browser signs in with the token $2, for $3 ms.
INSERT INTO sign_ins (sha256, token_id, is_link, expires_at)
VALUES ($1, $2, false, now_ms() + $3::bigint)

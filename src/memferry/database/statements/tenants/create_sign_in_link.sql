-- A link that signs in once with a token, within $3 ms. As the owner; the token was made in the same transaction.
INSERT INTO memferry.sign_ins (tenant_id, sha256, token_id, is_link, expires_at)
SELECT tenant_id, $1, id, true, memferry.now_ms() + $3::bigint
FROM memferry.tokens WHERE sha256 = $2

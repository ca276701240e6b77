-- One export of the tenant with its payload, if it has one. What has outlived its time shows as expired
-- from that instant on, whenever the sweeper comes to it. Only if it is one of the token $2, where that is given.
SELECT exports.*, export_payloads.payload, status = 'completed' AND expires_at <= now_ms() AS lapsed
FROM exports LEFT JOIN export_payloads ON export_payloads.export_id = exports.id
WHERE exports.id = $1 AND ($2::uuid IS NULL OR exports.token_id = $2)

-- One export of the tenant with its payload, if it has one.
SELECT exports.*, export_payloads.payload
FROM exports LEFT JOIN export_payloads ON export_payloads.export_id = exports.id
WHERE exports.id = $1

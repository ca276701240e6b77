-- Note for the audit that the operator has imported a table.
SELECT note('import.completed', 'ok', NULL, NULL, $1::bigint, $2::bigint, $3::text)

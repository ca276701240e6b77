-- Keep what an attempt has to tell. Only the holder of the lease can; its row stays locked until the transaction ends, so
-- that nobody cancels the import between its rows and its end.
UPDATE jobs SET report = $4::json
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3
RETURNING id

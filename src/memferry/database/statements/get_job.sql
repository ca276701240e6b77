-- What the holder of a lease has to do, and how the attempts before ended.
SELECT format, compression, filters, failures, last_error, last_error_code FROM exports
WHERE id = $1 AND status = 'running' AND attempt = $2 AND leased_by = $3

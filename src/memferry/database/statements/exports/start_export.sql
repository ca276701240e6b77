-- Note the start of an export, unless a limit of the tenant is reached.
SELECT reached, again_in_seconds FROM start_export($1, $2, $3, $4, $5)

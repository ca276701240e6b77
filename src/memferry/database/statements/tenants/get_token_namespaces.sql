-- The namespaces a token is limited to. Their names are words of the tenant, so only its own session reads them.
SELECT namespaces FROM tokens WHERE id = $1

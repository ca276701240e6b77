-- The namespaces of a token. Their names are the tenant's data, so they are read in a transaction of the tenant.
SELECT namespaces FROM tokens WHERE id = $1

-- The tenant by this name, made if needed; two at once end with the same one.
INSERT INTO memferry.tenants (id, name) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id

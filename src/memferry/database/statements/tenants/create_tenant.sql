-- The tenant by this name, made if needed; two at once end with the same one. None if it is being deleted.
INSERT INTO memferry.tenants (id, name) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE tenants.leaving_at IS NULL
RETURNING id

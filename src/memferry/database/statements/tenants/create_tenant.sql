-- The id of the tenant with this name, created if there is none; two at once get the same one. No row if the tenant is
-- being deleted.
INSERT INTO memferry.tenants (id, name) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE tenants.leaving_at IS NULL
RETURNING id

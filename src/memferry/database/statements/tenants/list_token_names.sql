-- What people call some tokens of the tenant.
SELECT id, name, prefix FROM tokens WHERE id = ANY ($1::uuid[])

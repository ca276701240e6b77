-- Wait for all that are adding something to a tenant, and hold back whoever comes. As the owner.
SELECT id FROM memferry.tenants WHERE id = $1 FOR UPDATE

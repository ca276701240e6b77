-- Lock the tenant's row: waits for every transaction that adds something to it, and blocks later ones. As the owner.
SELECT id FROM memferry.tenants WHERE id = $1 FOR UPDATE

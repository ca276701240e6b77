-- Remove some rows of a tenant, whatever tables there are; answers how many. As the owner.
SELECT memferry.remove_tenant_rows(id, $2) FROM memferry.tenants WHERE id = $1

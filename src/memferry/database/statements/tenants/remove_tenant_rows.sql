-- Delete up to $2 rows of a tenant from whatever tables there are; answers how many. As the owner.
SELECT memferry.remove_tenant_rows(id, $2) FROM memferry.tenants WHERE id = $1

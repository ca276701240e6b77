-- Delete the tenant's row; its id stays as a tombstone, by which the sweeper finds late files. As the owner.
WITH gone AS (DELETE FROM memferry.tenants WHERE id = $1 RETURNING id)
INSERT INTO memferry.gone_tenants (id) SELECT id FROM gone

-- The tenant is gone; its id stays, so that the sweeper knows late files of it. As the owner.
WITH gone AS (DELETE FROM memferry.tenants WHERE id = $1 RETURNING id)
INSERT INTO memferry.gone_tenants (id) SELECT id FROM gone

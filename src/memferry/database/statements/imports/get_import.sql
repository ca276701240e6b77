-- One import of the tenant.
SELECT * FROM imports WHERE id = $1

-- The tenant itself, unless it is being deleted.
SELECT id, name FROM tenant

-- A key that all processes share.
SELECT value FROM keys WHERE name = $1

-- The last lines of the chain of manifests.
SELECT sequence, export_id, encode(sha256, 'hex') AS sha256
FROM manifest_chain
ORDER BY sequence DESC LIMIT $1

-- What the manifest of an export is made of: its row, and the last line of the chain. No row comes back for an export
-- that has a line. In READ COMMITTED it runs behind the turn of manifests, as a statement of its own: only then does it
-- see the line that the last holder of the turn has added.
SELECT export.*, now_ms() AS now, last.sequence AS last_sequence, last.sha256 AS last_sha256,
    (SELECT value FROM keys WHERE name = 'manifests') AS signing_key,
    (SELECT max(name) FROM public.memferry_migrations) AS schema
FROM exports AS export
LEFT JOIN (SELECT sequence, sha256 FROM manifest_chain ORDER BY sequence DESC LIMIT 1) AS last ON true
WHERE export.id = $1 AND NOT EXISTS (SELECT FROM manifest_chain AS line WHERE line.export_id = $1)

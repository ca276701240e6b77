-- One project, locked until the transaction ends. Its metadata is JSON text, since a merge keeps the spelling.
SELECT name, metadata::text AS metadata FROM projects WHERE id = $1 FOR UPDATE

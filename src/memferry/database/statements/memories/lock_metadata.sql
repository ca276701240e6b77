-- The metadata of one memory, locked until the transaction ends. A merge keeps the spelling of keys and numbers, which
-- only the JSON text has.
SELECT coalesce(metadata::text, '{}') FROM memories WHERE id = $1 FOR UPDATE

-- The metadata of one memory, which nobody else changes until the transaction ends: a merge keeps its spelling, which only
-- its text has.
SELECT coalesce(metadata::text, '{}') FROM memories WHERE id = $1 FOR UPDATE

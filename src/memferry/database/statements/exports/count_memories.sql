-- The exact number of matching memories.
SELECT count(*) FROM memories WHERE {filters}

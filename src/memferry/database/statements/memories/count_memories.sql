-- The exact number of memories that match.
SELECT count(*) FROM memories WHERE {filters}

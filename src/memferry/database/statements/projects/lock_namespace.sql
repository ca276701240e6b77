-- Lock up to $2 memories of a namespace until the transaction ends, by their ids as all that lock several.
SELECT id FROM memories WHERE namespace = $1 ORDER BY id LIMIT $2 FOR UPDATE

-- Lock these memories until the transaction ends, by their ids as all that lock several; answers those that there are.
SELECT id FROM memories WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE

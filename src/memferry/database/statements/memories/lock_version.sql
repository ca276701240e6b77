-- The version of one memory, locked until the transaction ends.
SELECT version FROM searched_memories WHERE id = $1 FOR UPDATE

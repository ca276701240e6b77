-- The version of one memory, locked until the transaction ends.
SELECT version FROM stored_memories AS memory
WHERE id = $1 AND EXISTS (SELECT FROM memories WHERE memories.id = memory.id)
FOR UPDATE OF memory

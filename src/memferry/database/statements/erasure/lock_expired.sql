-- As lock_memories, those that have expired by now: one may have got a later expiry meanwhile. The next sweep comes to what
-- others hold.
SELECT id FROM memories
WHERE id = ANY ($1::uuid[]) AND expires_at < now_ms()
ORDER BY id FOR UPDATE SKIP LOCKED

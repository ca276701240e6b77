-- Put staged rows in the place of the memories with their ids. Times of creation and expiry that the file does not have stay;
-- updated_at tells when the row was changed here, by which exports that hold it are found. Rows are locked by id.
WITH old AS (
    SELECT memory.id, settled.place, text_bytes(memory.content, memory.source_ref, memory.tags, memory.metadata) AS bytes
    FROM settled_memories AS settled
    JOIN memories AS memory ON memory.id = settled.id
    WHERE settled.outcome = 'updated'
    ORDER BY memory.id FOR UPDATE OF memory
), changed AS (
    UPDATE memories AS memory SET
        content = staged.content, namespace = staged.namespace, tags = staged.tags, source = staged.source,
        source_ref = staged.source_ref, metadata = staged.metadata::json,
        created_at = coalesce(staged.created_at, memory.created_at),
        expires_at = coalesce(staged.expires_at, memory.expires_at),
        updated_at = greatest(now_ms(), memory.updated_at + 1)
    FROM old JOIN staged_memories AS staged ON staged.place = old.place
    WHERE memory.id = old.id
    RETURNING text_bytes(memory.content, memory.source_ref, memory.tags, memory.metadata) - old.bytes AS bytes
)
SELECT count(*) AS rows, coalesce(sum(bytes), 0)::bigint AS bytes FROM changed

-- The rows of one import before they are compared with what is there. No other session sees them, and they are gone with
-- the transaction. A time is null where the file has none.
CREATE TEMPORARY TABLE staged_memories (
    place bigint NOT NULL,
    id uuid NOT NULL,
    content text NOT NULL,
    namespace text NOT NULL,
    tags text[] NOT NULL,
    source text NOT NULL,
    source_ref text,
    metadata text,
    created_at bigint,
    updated_at bigint,
    expires_at bigint,
    history text
) ON COMMIT DROP

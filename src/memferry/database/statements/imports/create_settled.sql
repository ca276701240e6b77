-- Which staged rows are no new memories, and what becomes of each.
CREATE TEMPORARY TABLE settled_memories (
    place bigint PRIMARY KEY,
    id uuid NOT NULL,
    outcome text NOT NULL
) ON COMMIT DROP

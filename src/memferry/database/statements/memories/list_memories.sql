-- Memories after the place ($4, $5), in one of the orders of filters/orders.py; the id breaks ties, so pages neither
-- overlap nor leave gaps. Rows are rendered in the outer query: a row that OFFSET skips costs an index entry and no
-- rendering. Rows of more than $3 bytes are not rendered here; render_memories renders them later.
SELECT page.{time}, page.id, page.bytes,
    CASE WHEN page.bytes <= $3 THEN show_memory(page.memory) END AS row
FROM (
    SELECT {time}, id, text_bytes(content, source_ref, tags, metadata) AS bytes, memory
    FROM memories AS memory
    WHERE {filters} AND ({time}, id) {after} ($4::bigint, $5::uuid)
    ORDER BY {time} {direction}, id {direction}
    LIMIT $1 OFFSET $2
) AS page
ORDER BY page.{time} {direction}, page.id {direction}

-- How many memories pass the filters and hold a word of the query $2, up to $1. The conditions are those of a search by
-- the index.
SELECT count(*) FROM (
    SELECT FROM searched_memories
    WHERE {filters} AND keys @@ (SELECT $2::text::tsquery) AND keys @@ (SELECT twice($2::text::tsquery))
    LIMIT $1
) AS hit

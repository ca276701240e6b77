-- How many memories match, looking at no more than $1 of them: enough to choose inline or queued; and
-- how many have expired.
SELECT count(*) AS rows, (SELECT count(*) FROM expired_memories WHERE {filters}) AS expired_rows
FROM (SELECT FROM memories WHERE {filters} LIMIT $1) AS few

-- How many memories match, looking at no more than $1 of them: enough to choose inline or queued.
SELECT count(*) FROM (SELECT FROM memories WHERE {filters} LIMIT $1) AS few

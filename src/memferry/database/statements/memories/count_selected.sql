-- How many memories pass the filters, up to $1.
SELECT count(*) FROM (SELECT FROM memories WHERE {filters} LIMIT $1) AS selected

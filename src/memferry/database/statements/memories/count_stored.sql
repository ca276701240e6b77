-- How many memories the tenant has: the usage is kept with every save, so nothing is counted.
SELECT coalesce(sum(rows), 0)::bigint AS count FROM memory_usage

-- What the tenant has of that which is limited.
SELECT coalesce(sum(rows), 0)::bigint AS memories, coalesce(sum(bytes), 0)::bigint AS memory_bytes FROM memory_usage

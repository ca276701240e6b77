-- How many memories match that have expired, and are not deleted yet: an export leaves them out.
SELECT count(*) FROM expired_memories WHERE {filters}

-- Take rows out of the staging table that cannot be imported.
DELETE FROM staged_memories WHERE place = ANY ($1::bigint[])

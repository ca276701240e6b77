-- Claim the key of a file that is about to come, for $2 seconds. No row is created if files of imports that wait or run,
-- and those that dry runs keep, have $3 bytes already, nor for a tenant that is being deleted.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), waiting AS (
    SELECT coalesce(sum(file_bytes), 0) AS bytes FROM imports
    WHERE status IN ('pending', 'running') OR object_key IS NOT NULL
), begun AS (
    INSERT INTO import_uploads (id, leased_until)
    SELECT $1, now() + make_interval(secs => $2) FROM home, waiting WHERE waiting.bytes < $3::bigint
    RETURNING id
)
SELECT waiting.bytes >= $3 AS too_much, (SELECT id FROM begun) AS id FROM waiting

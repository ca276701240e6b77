-- Create a project of a namespace that nobody uses; of a used one the id is null. The tenant's row is locked as in
-- save_memory: a tenant that is being deleted gets no row. If there were $4 already, the caller rolls back.
WITH home AS (
    SELECT erasures FROM tenant FOR KEY SHARE
), used AS (
    SELECT count(*) AS projects FROM projects
), taken AS (
    SELECT EXISTS (SELECT FROM memories WHERE namespace = $1) AS by_memories
), made AS (
    INSERT INTO projects (name, description, metadata, created_at, updated_at, retention_days)
    SELECT $1, $2, coalesce($3::json, '{}'), now, now, $5::integer FROM home, used, taken, now_ms() AS now
    WHERE NOT taken.by_memories
    ON CONFLICT (tenant_id, name) DO NOTHING
    RETURNING id
)
SELECT (SELECT id FROM made) AS id, used.projects >= $4::bigint AS too_many FROM home, used

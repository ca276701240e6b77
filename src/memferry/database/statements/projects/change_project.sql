-- Change the fields of a project that are not null; $4 says whether the description $5 is changed, and $7
-- whether the retention $8 is.
UPDATE projects SET
    name = coalesce($2, name),
    metadata = $3::json,
    description = CASE WHEN $4::boolean THEN $5 ELSE description END,
    archived_at = CASE $6::boolean WHEN true THEN coalesce(archived_at, now_ms()) WHEN false THEN NULL ELSE archived_at END,
    retention_days = CASE WHEN $7::boolean THEN $8::integer ELSE retention_days END,
    updated_at = greatest(now_ms(), updated_at + 1)
WHERE id = $1

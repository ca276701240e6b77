-- Audit entries, newest first: only those of the event $2, and only those before the entry $3, where these are given.
SELECT entry.id, row_to_json(entry)::text AS row FROM (
    SELECT id, floor(extract(epoch FROM noted_at) * 1000)::bigint AS at, event, outcome, token_id, address,
        subject, encode(filters_sha256, 'hex') AS filters_sha256, row_count AS rows,
        byte_count AS bytes, detail, times
    FROM audit
    WHERE ($2::text IS NULL OR event = $2)
        AND ($3::uuid IS NULL
            OR (noted_at, id) < (SELECT last.noted_at, last.id FROM audit AS last WHERE last.id = $3))
    ORDER BY noted_at DESC, audit.id DESC LIMIT $1
) AS entry

-- As list_audit, for all tenants or the one named $3. As the owner.
SELECT row_to_json(entry)::text FROM (
    SELECT tenants.name AS tenant, audit.id,
        floor(extract(epoch FROM audit.noted_at) * 1000)::bigint AS at, audit.event, audit.outcome,
        audit.token_id, audit.address, audit.subject,
        encode(audit.filters_sha256, 'hex') AS filters_sha256, audit.row_count AS rows,
        audit.byte_count AS bytes, audit.detail, audit.times
    FROM memferry.audit JOIN memferry.tenants ON tenants.id = audit.tenant_id
    WHERE ($2::text IS NULL OR audit.event = $2) AND ($3::text IS NULL OR tenants.name = $3)
    ORDER BY audit.noted_at DESC, audit.id DESC LIMIT $1
) AS entry

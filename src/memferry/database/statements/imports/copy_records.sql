-- Records of another system's table as rows for the staging table; runs on the other system's server. $1 is the version
-- of the reader, $2 the namespace of all (null: their own), $3 tags for all, $4 the source, $5 is added to each key.
-- An id is made as in derive_memory_id: of the time of creation, and of the SHA-256 of namespace, source and key
-- (RFC 9562, section 5.7).
SELECT row_number() OVER () AS place,
    (lpad(to_hex(CASE WHEN created_at BETWEEN 0 AND 281474976710655 THEN created_at ELSE 0 END), 12, '0')
        || '7' || lpad(to_hex(
            ((get_byte(digest, 0) & 3) << 10) | (get_byte(digest, 1) << 2) | (get_byte(digest, 2) >> 6)), 3, '0')
        || to_hex(128 | (get_byte(digest, 2) & 63)) || encode(substr(digest, 4, 7), 'hex'))::uuid AS id,
    content, namespace, tags, source, source_ref,
    (metadata || jsonb_build_object('import', origin || jsonb_build_object(
        'source', source, 'reader', $1::integer,
        'time_from', CASE WHEN created_at IS NULL THEN 'import' ELSE 'record' END)))::text AS metadata,
    created_at, updated_at, NULL::bigint AS expires_at, NULL::text AS history
FROM (
    SELECT content::text, coalesce($2::text, namespace)::text AS namespace, tags || $3::text[] AS tags,
        $4::text AS source, source_ref::text, metadata, origin, created_at::bigint, updated_at::bigint,
        sha256(convert_to('[' || concat_ws(',',
            to_json(coalesce($2::text, namespace)::text), to_json($4::text), to_json(key || $5::text)) || ']', 'UTF8'))
            AS digest
    FROM ({records}) AS record
) AS record

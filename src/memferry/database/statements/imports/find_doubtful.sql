-- Staged rows that a save would refuse, and those whose metadata has to be looked at; they came without a check. Limits:
-- bytes of a content $1 and of metadata $2, characters of a namespace $3 and of a reference $4, the latest time $5, the
-- latest time in an id $6, and the depth of metadata $7.
SELECT place, source_ref, reason, CASE WHEN reason IS NULL THEN metadata END AS metadata
FROM (
    SELECT place, left(source_ref, 200) AS source_ref, metadata,
        CASE
            WHEN content = '' THEN 'content: must not be empty'
            WHEN octet_length(content) > $1::bigint THEN 'content: larger than ' || $1::bigint || ' bytes'
            WHEN octet_length(metadata) > $2::bigint THEN 'metadata: larger than ' || $2::bigint || ' bytes'
            WHEN namespace = '' THEN 'namespace: must not be empty'
            WHEN length(namespace) > $3::bigint THEN 'namespace: longer than ' || $3::bigint || ' characters'
            WHEN length(source_ref) > $4::bigint THEN 'source_ref: longer than ' || $4::bigint || ' characters'
            WHEN created_at NOT BETWEEN 0 AND $5::bigint THEN 'created_at: is not between 0 and ' || $5::bigint
            WHEN updated_at NOT BETWEEN 0 AND $5::bigint THEN 'updated_at: is not between 0 and ' || $5::bigint
            WHEN created_at > $6::bigint THEN 'created_at: lies in the future'
        END AS reason,
        length(metadata) - length(translate(metadata, '{[', '')) > $7::bigint AS doubtful
    FROM staged_memories
) AS checked
WHERE reason IS NOT NULL OR doubtful
ORDER BY place

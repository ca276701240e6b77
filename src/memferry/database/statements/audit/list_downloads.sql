-- Who got the bytes of the export $1, and links to them. No index has the subject: the time bounds the search.
SELECT floor(extract(epoch FROM noted_at) * 1000)::bigint AS at, event, outcome, token_id, address, byte_count AS bytes,
    times
FROM audit
WHERE event IN ('export.downloaded', 'link.minted') AND noted_at >= to_timestamp($2::bigint / 1000.0) AND subject = $1
ORDER BY noted_at DESC, id DESC LIMIT $3

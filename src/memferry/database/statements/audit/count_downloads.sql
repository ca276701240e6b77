-- How often the bytes of the exports $1 were handed out. No index has the subject: the time bounds the search.
SELECT subject, sum(times)::bigint AS downloads
FROM audit
WHERE event = 'export.downloaded' AND noted_at >= to_timestamp($2::bigint / 1000.0) AND subject = ANY ($1::text[])
GROUP BY subject

-- Add a line to the chain, and the text of its manifest; false if another line has its place.
SELECT add_manifest($1::bigint, $2::text, $3::bytea, $4::text)

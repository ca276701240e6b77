-- Use a link up; no row for whoever comes second.
DELETE FROM sign_ins WHERE sha256 = $1 AND is_link RETURNING token_id

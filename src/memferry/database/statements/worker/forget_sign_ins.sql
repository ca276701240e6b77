-- Sign-ins and links that nobody used in time.
DELETE FROM sign_in_grants WHERE expires_at < now_ms()

-- The owner's sessions find the tables by their names alone, as psql's \dt shows them. Sessions of the service name their
-- own search path when they connect.
DO $$
BEGIN
    EXECUTE format(
        'ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path = memferry, public', current_database());
END
$$;

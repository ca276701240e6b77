-- The owner's sessions find the tables by their names alone, as psql's \dt shows them. The schema comes last, so that
-- no name means another table than before where an owner has tables of its own. Sessions of the service name their own
-- search path when they connect, which wins over this one
-- (https://www.postgresql.org/docs/current/sql-alterrole.html).
DO $$
BEGIN
    PERFORM set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), 'memferry'), true);
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path FROM CURRENT', current_database());
END
$$;

-- What to_json says of a text. That one looks up what kind of type it is given, for each value anew, which is a tenth of
-- what an export costs; JSON_SCALAR, of PostgreSQL 17 and later, knows it from the plan. Called for its expression: the
-- planner puts it in the place of the call.
DO $$ BEGIN
    EXECUTE 'CREATE FUNCTION memferry_service.as_json(value text) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE RETURN '
        || CASE WHEN current_setting('server_version_num')::integer >= 170000
            THEN 'JSON_SCALAR(value)' ELSE 'to_json(value)' END;
END $$;

-- Settings of this login by which PostgreSQL's log shows statements or their values, with the remedy of each. Exports
-- send filters as literals, since COPY takes no parameters. A superuser may change these settings for one role.
SELECT format('%s is %s', wanted.name, current_setting(wanted.name)) AS fault,
    format('ALTER ROLE %I SET %s = %L', session_user, wanted.name, wanted.quiet) AS remedy
FROM (
    VALUES ('log_min_error_statement', 'panic'), ('log_error_verbosity', 'terse'), ('log_statement', 'none'),
        ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'), ('log_transaction_sample_rate', '0')
) AS wanted (name, quiet)
WHERE current_setting(wanted.name) <> wanted.quiet

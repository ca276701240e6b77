-- The version of the server, with the words of its distribution.
SELECT current_setting('server_version')

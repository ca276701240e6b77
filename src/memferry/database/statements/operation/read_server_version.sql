-- The version of the server as it names itself, with the words of its distribution.
SELECT current_setting('server_version')

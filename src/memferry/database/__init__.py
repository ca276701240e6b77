"""PostgreSQL: connections, statements, COPY, migrations, the embedded server."""

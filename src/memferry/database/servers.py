"""The server that a process connects to: an external one, or the embedded one."""

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import allow_login, migrate
from memferry.database.pool import SERVICE_ROLE
from memferry.settings import DatabaseSettings


def make_embedded_postgres(settings: DatabaseSettings) -> EmbeddedPostgres:
    """The embedded server of the data directory, neither started nor attached."""
    return EmbeddedPostgres(settings.data_dir / "postgres", settings.embedded)


def owner_url(settings: DatabaseSettings) -> str:
    """The address at which the owner of the tables connects."""
    return settings.url or make_embedded_postgres(settings).url()


def service_url(settings: DatabaseSettings) -> str:
    """The address at which the API and the workers connect.

    On the embedded server they log in as the service role, which owns nothing. On an external one
    they log in as the owner, and each session switches to the service role.
    """
    return settings.url or make_embedded_postgres(settings).url(SERVICE_ROLE)


async def prepare_database(settings: DatabaseSettings) -> list[str]:
    """Bring the schema up to date; answers the migrations applied.

    Raises what `migrate` raises.
    """
    applied = await migrate(owner_url(settings))
    if settings.url is None:
        await allow_login(owner_url(settings))
    return applied

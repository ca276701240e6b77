"""Which server a process connects to: an external one, or that of the data directory."""

from memferry.database.embedded import EmbeddedPostgres
from memferry.database.migrate import allow_login, migrate
from memferry.database.pool import SERVICE_ROLE
from memferry.settings import DatabaseSettings


def make_embedded_postgres(settings: DatabaseSettings) -> EmbeddedPostgres:
    """The embedded server of this data directory; neither started nor attached to."""
    return EmbeddedPostgres(settings.data_dir / "postgres", settings.embedded)


def owner_url(settings: DatabaseSettings) -> str:
    """Where the owner of the tables connects."""
    return settings.url or make_embedded_postgres(settings).url()


def service_url(settings: DatabaseSettings) -> str:
    """Where the API and the worker connect.

    On the embedded server that is a role which owns nothing. An external server gets the owner's
    address, and each session there steps down to that role.
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

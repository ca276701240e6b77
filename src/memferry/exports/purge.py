"""Taking exports back that may hold a memory, in the transaction that deletes it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from memferry.database.pool import Connection
from memferry.database.sql import sql


async def begin_purge(connection: Connection) -> None:
    """Before the memory is deleted: from now on no export of the tenant is added unseen."""
    await connection.execute(sql("exports/begin_purge"))


async def purge_exports(connection: Connection, ids: Sequence[UUID]) -> Mapping[str, str | None]:
    """Take back every export that may hold one of these memories, before they are deleted.

    The caller has locked them, and was shown each of them. Answers the exports that were completed,
    and the keys of their files, which the caller removes once this is committed. Those that are
    being written start again in a new snapshot.
    """
    # A limited token is shown no export that reaches beyond its limit; deletions reach those too.
    await connection.execute(sql("exports/see_all_namespaces"))
    rows = await connection.fetch(sql("exports/purge_exports"), ids)
    return {row["id"]: row["object_key"] for row in rows}

"""Exports as their view shows them."""

import asyncio
from collections.abc import Sequence
from dataclasses import fields, replace
from uuid import UUID

import asyncpg
import msgspec

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import ExportNotFound
from memferry.exports.pack.payload import read_stored, unpack_stored
from memferry.exports.request import show_request
from memferry.model.export import Export, Part
from memferry.model.identity import is_export_id
from memferry.model.token import Caller
from memferry.shares import Hold

PAYLOAD_COPIES = 2
"""A payload lies in memory twice: escaped for the answer, and compressed for the database."""


async def read_export(
    database: Database, caller: Caller, export_id: str, hold: Hold, *, of_token: UUID | None
) -> Export:
    """One export, with its payload if it has one; raises ExportNotFound.

    With `of_token` only an export of that token is found. `hold` is awaited with the bytes of the
    payload before it is read.
    """
    if not is_export_id(export_id):
        raise ExportNotFound
    async with database.tenant(caller) as connection:
        row = await connection.fetchrow(sql("exports/get_export"), export_id, of_token)
    if row is None:
        raise ExportNotFound
    if row["payload"] is None or row["lapsed"]:
        return make_export(row)
    await hold(PAYLOAD_COPIES * row["bytes_done"])
    return make_export(row, payload_json=await asyncio.to_thread(read_stored, row["payload"]))


async def read_payload(
    database: Database, caller: Caller, export_id: str, hold: Hold, *, of_token: UUID | None
) -> tuple[Export, bytes]:
    """One inline export and its bytes; raises ExportNotFound if it has none, or none any more.

    `of_token` and `hold` as in `read_export`.
    """
    row = None
    if is_export_id(export_id):
        async with database.tenant(caller) as connection:
            row = await connection.fetchrow(sql("exports/get_export"), export_id, of_token)
    if row is None or row["payload"] is None or row["lapsed"]:
        raise ExportNotFound
    await hold(PAYLOAD_COPIES * row["bytes_done"])
    return make_export(row), await asyncio.to_thread(unpack_stored, row["payload"])


def make_export(row: asyncpg.Record, **more: Sequence[bytes]) -> Export:
    """Make an export of its row in the view `exports`; one past its lifetime is expired."""
    values = dict(row)
    values |= show_request(values["request"]) | more
    if values["parts"] is not None:
        values["parts"] = msgspec.json.decode(values["parts"], type=list[Part])
    export = Export(
        **{field.name: values[field.name] for field in fields(Export) if field.name in values}
    )
    if values.get("lapsed"):
        return replace(export, status="expired", object_key=None)
    return export

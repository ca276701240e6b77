"""The start of a process with its object store, which may be unavailable at first."""

import asyncio

from memferry.database.binaries import ensure_account
from memferry.database.directory import make_data_directory
from memferry.errors import Misconfigured, StorageUnavailable, Unavailable
from memferry.operation.store_identity import StoreIdentity
from memferry.settings import DatabaseSettings
from memferry.storage import Storage
from memferry.telemetry import log_event

_CHECK_SECONDS = 5


async def prepare_store(settings: DatabaseSettings, store: Storage) -> None:
    """Create what the store needs; a failure is logged."""
    try:
        if store.directory is not None and store.directory.is_relative_to(settings.data_dir):
            account = None if settings.url else ensure_account(settings.embedded.user)
            make_data_directory(settings.data_dir, account)
        await store.prepare()
    except (Misconfigured, StorageUnavailable) as fault:
        log_event("store.failed", reason=fault)


async def agree_on_store(identity: StoreIdentity) -> None:
    """Establish the identity of the store; a failure within 5 s is logged.

    Raises OtherStore if the store is not that of the database.
    """
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await identity.establish()
    except (Unavailable, TimeoutError) as fault:
        log_event("store.unidentified", reason=str(fault) or "it does not answer")

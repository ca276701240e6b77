"""What a process does with its object store when it starts; a store that is away may come later."""

import asyncio

from memferry.database.binaries import server_account
from memferry.database.directory import make_data_directory
from memferry.errors import Misconfigured, StorageUnavailable, Unavailable
from memferry.operation.store_identity import StoreIdentity
from memferry.settings import DatabaseSettings
from memferry.storage import Storage
from memferry.telemetry import log_event

_LOOK_SECONDS = 5


async def prepare_store(settings: DatabaseSettings, store: Storage) -> None:
    """Make what the store needs; logs why it cannot."""
    try:
        if store.directory is not None and store.directory.is_relative_to(settings.data_dir):
            account = None if settings.url else server_account(settings.embedded.user)
            make_data_directory(settings.data_dir, account)
        await store.prepare()
    except (Misconfigured, StorageUnavailable) as fault:
        log_event("store.failed", reason=fault)


async def agree_on_store(identity: StoreIdentity) -> None:
    """Establish the identity of the store; logs why it cannot within 5 s.

    Raises OtherStore if the store is not the database's.
    """
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await identity.establish()
    except (Unavailable, TimeoutError) as fault:
        log_event("store.unidentified", reason=str(fault) or "it does not answer")

"""One lock for each key: puts of one key come one after the other, those of others side by side."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

_Lock = TypeVar("_Lock")


class KeyLocks(Generic[_Lock]):
    """Locks by keys; each is there as long as somebody holds it or waits for it."""

    def __init__(self, make_lock: Callable[[], _Lock]) -> None:
        self._make_lock = make_lock
        self._locks: WeakValueDictionary[Hashable, _Lock] = WeakValueDictionary()
        self._finding = threading.Lock()

    def find(self, key: Hashable) -> _Lock:
        """Find the lock of a key, the same for all who have it at a time."""
        with self._finding:
            return self._locks.setdefault(key, self._make_lock())

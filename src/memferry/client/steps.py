"""The steps of a call, as values: what is written once runs for programs that wait or that await.

A flow is a generator that yields steps, is sent the result of each, and returns its own. It holds
every decision and does no I/O; `connection.py` performs the steps, in two ways.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from memferry.client.calls import Call

T = TypeVar("T")


@dataclass(frozen=True)
class SendStep:
    """Send a call, again if that is safe and worth while; the result is the answer.

    Raises ServiceUnreachable.
    """

    call: Call


@dataclass(frozen=True)
class TryStep:
    """Send a call once; raises ServiceUnreachable."""

    call: Call


@dataclass(frozen=True)
class UploadStep:
    """Send a call with a body as it comes, once; raises ServiceUnreachable, and as the body."""

    call: Call
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class PauseStep:
    """Wait for some seconds."""

    seconds: float


@dataclass(frozen=True)
class OpenStep:
    """Open a download link from byte `start` on; the result is an OpenFile."""

    url: str
    start: int


@dataclass(frozen=True)
class OpenFile:
    """The head of a download, and what its bytes are read from."""

    status: int
    chunks: Any


@dataclass(frozen=True)
class ReadStep:
    """Read the next bytes of an open file; the result is empty at its end."""

    file: OpenFile


@dataclass(frozen=True)
class WorkStep:
    """Run a function that takes a while, such as one that writes to a disk."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Item(Generic[T]):
    """Hand out one item of a listing."""

    value: T


Step: TypeAlias = SendStep | TryStep | UploadStep | PauseStep | OpenStep | ReadStep | WorkStep
Flow: TypeAlias = Generator[Step, Any, T]
"""Steps that lead to one result."""
Listing: TypeAlias = Generator[Step | Item[T], Any, None]
"""Steps that lead to items, one after the other."""

"""Flows as methods: one definition, called by programs that wait and by programs that await."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from memferry.client.connection import AsyncServiceConnection, ServiceConnection
from memferry.client.steps import Flow, Listing

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Synchronous:
    """What runs its flows at once."""

    def __init__(self, connection: ServiceConnection) -> None:
        self.connection = connection


class Asynchronous:
    """What runs its flows when they are awaited."""

    def __init__(self, connection: AsyncServiceConnection) -> None:
        self.connection = connection


class FlowMethod(Generic[_P, _T]):
    """A method that leads to one result: a coroutine where its owner is asynchronous."""

    def __init__(self, build: Callable[Concatenate[Any, _P], Flow[_T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__
        self.__wrapped__ = build

    @overload
    def __get__(self, owner: Synchronous, kind: type | None = None) -> Callable[_P, _T]: ...
    @overload
    def __get__(
        self, owner: Asynchronous, kind: type | None = None
    ) -> Callable[_P, Coroutine[Any, Any, _T]]: ...
    @overload
    def __get__(self, owner: None, kind: type | None = None) -> Self: ...
    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """Bind the method to its owner."""
        if owner is None:
            return self

        @wraps(self._build)
        def run(*arguments: _P.args, **named: _P.kwargs) -> Any:
            return owner.connection.run(self._build(owner, *arguments, **named))

        return run


class ListingMethod(Generic[_P, _T]):
    """A method that leads to an iterator: an asynchronous one where its owner is."""

    def __init__(self, build: Callable[Concatenate[Any, _P], Listing[_T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__
        self.__wrapped__ = build

    @overload
    def __get__(
        self, owner: Synchronous, kind: type | None = None
    ) -> Callable[_P, Iterator[_T]]: ...
    @overload
    def __get__(
        self, owner: Asynchronous, kind: type | None = None
    ) -> Callable[_P, AsyncIterator[_T]]: ...
    @overload
    def __get__(self, owner: None, kind: type | None = None) -> Self: ...
    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """Bind the method to its owner."""
        if owner is None:
            return self

        @wraps(self._build)
        def iterate(*arguments: _P.args, **named: _P.kwargs) -> Any:
            return owner.connection.iterate(self._build(owner, *arguments, **named))

        return iterate

"""What groups memories: namespaces, threads, and projects."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from memferry.client.calls import Call, make_path
from memferry.client.flows import choose_limit, iterate_pages, send
from memferry.client.methods import Asynchronous, FlowMethod, ListingMethod, Synchronous
from memferry.client.options import Id, make_body, make_change, make_params
from memferry.client.steps import Flow, Listing
from memferry.wire.memories import MemoryRow, NamespaceCount, Thread, ThreadSummary
from memferry.wire.projects import Project, ProjectPage

_Namespaces: TypeAlias = list[NamespaceCount]
_Threads: TypeAlias = list[ThreadSummary]
_LONG_PAGE_ROWS = 10_000


class NamespaceMethods:
    """Everything below /api/namespaces."""

    @ListingMethod
    def list(self, *, limit: int | None = None) -> Listing[NamespaceCount]:
        """Hand out namespaces with their numbers of memories, the one that changed last first.

        >>> _ = client.memories.save("Likes tea.", namespace="drinks")
        >>> next(client.namespaces.list()).name
        'drinks'
        """
        params = make_params({"limit": choose_limit(limit, _LONG_PAGE_ROWS)})
        call = Call("GET", make_path("namespaces"), params=params)
        return iterate_pages(call, _Namespaces, iter, limit)


class ThreadMethods:
    """Everything below /api/threads."""

    @ListingMethod
    def list(
        self, *, namespace: str | None = None, limit: int | None = None
    ) -> Listing[ThreadSummary]:
        """Hand out conversations and documents, the one with the latest memory first.

        >>> _ = client.memories.save("Hello!", namespace="talk", source_ref="chat-1")
        >>> [thread.title for thread in client.threads.list(namespace="talk")]
        ['Hello!']
        """
        params = make_params({"namespace": namespace, "limit": choose_limit(limit)})
        call = Call("GET", make_path("threads"), params=params)
        return iterate_pages(call, _Threads, iter, limit)

    @ListingMethod
    def get(self, reference: str, *, limit: int | None = None) -> Listing[MemoryRow]:
        """Hand out the pieces of one thread in their order; of an unknown one there are none.

        >>> for number, text in enumerate(["Hello!", "How are you?"]):
        ...     metadata = {"parent_ref": "chat-2", "chunk_index": number}
        ...     _ = client.memories.save(text, metadata=metadata)
        >>> [row.content for row in client.threads.get("chat-2")]
        ['Hello!', 'How are you?']
        """
        params = make_params({"limit": choose_limit(limit, _LONG_PAGE_ROWS)})
        call = Call("GET", make_path("threads", reference), params=params)
        return iterate_pages(call, Thread, lambda thread: thread.chunks, limit)


class ProjectMethods:
    """Everything below /api/projects."""

    @ListingMethod
    def list(self, *, limit: int | None = None) -> Listing[Project]:
        """Hand out projects, the most recently active first; a namespace with memories is one.

        >>> _ = client.projects.create("acme", description="Notes of the engagement.")
        >>> next(client.projects.list()).name
        'acme'
        """
        params = make_params({"limit": choose_limit(limit)})
        call = Call("GET", make_path("projects"), params=params)
        return iterate_pages(call, ProjectPage, lambda page: page.projects, limit)

    @FlowMethod
    def create(
        self,
        name: str,
        *,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        retention_days: int | None = None,
    ) -> Flow[Project]:
        """Create a project, a namespace with a description; raises ProjectNameInUse.

        Memories that are saved in it without an expiry expire after `retention_days`.

        >>> client.projects.create("garden").memory_count
        0
        """
        arguments = {"name": name, "description": description, "metadata": metadata}
        body = make_body({**arguments, "retention_days": retention_days})
        return send(Call("POST", make_path("projects"), body), Project)

    @FlowMethod
    def get(self, project_id: Id) -> Flow[Project]:
        """Look up one project; raises ProjectNotFound.

        >>> project = client.projects.create("kitchen")
        >>> client.projects.get(project.id).name
        'kitchen'
        """
        return send(Call("GET", make_path("projects", project_id)), Project)

    @FlowMethod
    def update(
        self,
        project_id: Id,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
        archived: bool | UnsetType = UNSET,
        retention_days: int | UnsetType | None = UNSET,
    ) -> Flow[Project]:
        """Change the given fields. A new name moves the memories.

        None clears the description, or the retention.

        >>> project = client.projects.create("cellar")
        >>> client.projects.update(project.id, name="attic").name
        'attic'
        """
        arguments = {
            "name": name,
            "description": description,
            "metadata": metadata,
            "archived": archived,
            "retention_days": retention_days,
        }
        call = Call("PATCH", make_path("projects", project_id), make_change(arguments))
        return send(call, Project)

    @FlowMethod
    def delete(self, project_id: Id, *, purge_exports: bool = False) -> Flow[None]:
        """Delete a project with all its memories; raises ProjectNotFound.

        >>> project = client.projects.create("shed")
        >>> client.projects.delete(project.id)
        """
        params = make_params({"purge_exports": purge_exports})
        return send(Call("DELETE", make_path("projects", project_id), params=params), type(None))


class NamespaceClient(NamespaceMethods, Synchronous):
    """`client.namespaces`."""


class AsyncNamespaceClient(NamespaceMethods, Asynchronous):
    """`client.namespaces` of an AsyncClient."""


class ThreadClient(ThreadMethods, Synchronous):
    """`client.threads`."""


class AsyncThreadClient(ThreadMethods, Asynchronous):
    """`client.threads` of an AsyncClient."""


class ProjectClient(ProjectMethods, Synchronous):
    """`client.projects`."""


class AsyncProjectClient(ProjectMethods, Asynchronous):
    """`client.projects` of an AsyncClient."""

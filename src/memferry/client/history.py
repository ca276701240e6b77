"""The history of a memory: its changes, and the way back."""

from memferry.client.calls import Call, make_path
from memferry.client.flows import choose_limit, iterate_pages, send
from memferry.client.methods import FlowMethod, ListingMethod
from memferry.client.options import Id, make_params
from memferry.client.steps import Flow, Listing
from memferry.wire.history import Change, History
from memferry.wire.memories import MemoryRow


class HistoryMethods:
    """Everything below /api/memories/{id} that is about its former versions."""

    @ListingMethod
    def list_history(self, memory_id: Id, *, limit: int | None = None) -> Listing[Change]:
        """Hand out the changes of a memory, oldest first; raises MemoryNotFound.

        >>> row = client.memories.save("Likes tea.")
        >>> _ = client.memories.update(row.id, content="Likes green tea.")
        >>> [(change.version, change.kind) for change in client.memories.list_history(row.id)]
        [(1, 'create'), (2, 'content_edit')]
        """
        params = make_params({"limit": choose_limit(limit)})
        call = Call("GET", make_path("memories", memory_id, "history"), params=params)
        return iterate_pages(call, History, lambda page: page.history, limit)

    @FlowMethod
    def get_change(self, memory_id: Id, version: int) -> Flow[Change]:
        """Look up the change that made a version, with the state before it, however large.

        >>> row = client.memories.save("Likes tea.")
        >>> _ = client.memories.update(row.id, content="Likes green tea.")
        >>> client.memories.get_change(row.id, 2).former.content
        'Likes tea.'
        """
        path = make_path("memories", memory_id, "history")
        page = yield from send(Call("GET", path, params={"version": str(version)}), History)
        return page.history[0]

    @FlowMethod
    def restore(self, memory_id: Id, version: int) -> Flow[MemoryRow]:
        """Give a memory the state that it had as a former version; a change like any other.

        >>> row = client.memories.save("Likes tea.")
        >>> _ = client.memories.update(row.id, content="Likes coffee.")
        >>> client.memories.restore(row.id, 1).content
        'Likes tea.'
        """
        path = make_path("memories", memory_id, "restore")
        return send(Call("POST", path, {"version": version}), MemoryRow)

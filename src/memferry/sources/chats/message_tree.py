"""A conversation as a tree: each message answers one other, and edits leave branches behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A message's place in its tree."""

    parent: str | None
    time: int | None
    """When it was written, in ms; None if that is not known."""
    is_message: bool = True
    """False for what only holds others together."""


class MessageTree:
    """Nodes by id. Parents may be missing or form a cycle: every walk ends, and none recurses."""

    def __init__(self, nodes: Mapping[str, TreeNode]) -> None:
        self._nodes = nodes

    def list_path(self, leaf: str | None) -> list[str]:
        """List the nodes from the root to a leaf; up to where a parent is missing or repeats."""
        path = dict[str, None]()
        while leaf is not None and leaf in self._nodes and leaf not in path:
            path[leaf] = None
            leaf = self._nodes[leaf].parent
        return [*reversed(path)]

    def is_broken(self, path: Sequence[str]) -> bool:
        """Whether a path begins below a parent: one that is missing, or stands in the path."""
        return bool(path) and self._nodes[path[0]].parent is not None

    def find_newest_leaf(self) -> str | None:
        """Find the newest message that none answers, the last of several; None without any."""
        parents = {node.parent for node in self._nodes.values()}
        leaves = [id_ for id_, node in self._nodes.items() if node.is_message]
        # In a cycle each message is answered: the newest of all must do.
        ends = [id_ for id_ in leaves if id_ not in parents] or leaves
        return max(reversed(ends), key=self._find_time, default=None)

    def count_depths(self) -> dict[str, int]:
        """Count how many nodes stand before each, up to its root."""
        depths = dict[str, int]()
        for id_ in self._nodes:
            path = self._list_unknown_path(id_, depths)
            parent = self._nodes[path[-1]].parent if path else None
            depth = depths.get(parent, -1) if parent is not None else -1
            depths.update((below, depth + number) for number, below in enumerate(path[::-1], 1))
        return depths

    def _list_unknown_path(self, id_: str | None, depths: Mapping[str, int]) -> list[str]:
        """List a node and those above it whose depth is not known yet."""
        path = dict[str, None]()
        while id_ is not None and id_ in self._nodes and id_ not in depths and id_ not in path:
            path[id_] = None
            id_ = self._nodes[id_].parent
        return list(path)

    def _find_time(self, id_: str) -> int:
        time = self._nodes[id_].time
        return -1 if time is None else time

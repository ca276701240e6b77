"""How much a file may unpack to: what protects disk, memory and time from a zip bomb."""

from dataclasses import dataclass

from memferry.errors import Invalid
from memferry.sources.base import refuse_file


@dataclass(frozen=True, kw_only=True)
class BundleLimits:
    """The most that one import may hold; sizes in bytes, unpacked."""

    members: int = 250_000
    member_bytes: int = 64 * 1024**3
    total_bytes: int = 256 * 1024**3
    ratio: int = 500
    """Of unpacked to packed bytes."""
    ratio_from_bytes: int = 64 * 1024**2
    """Below, a high ratio does no harm: a short file of one repeated row has it honestly."""
    archives: int = 100
    """Archives within archives."""


class UnpackedBytes:
    """Counts what all members of one import unpack to; declared sizes may lie."""

    def __init__(self, limits: BundleLimits) -> None:
        self.limits = limits
        self._total = 0

    def check_member(self, name: str, unpacked: int, packed: int) -> None:
        """Raise Invalid if one member has become too large, or too large for its packed size."""
        limits = self.limits
        if unpacked > limits.member_bytes:
            raise refuse_file(name, f"unpacks to more than {limits.member_bytes} bytes")
        if unpacked > max(limits.ratio_from_bytes, packed * limits.ratio):
            raise refuse_file(name, f"unpacks to more than {limits.ratio} times its size")

    def add(self, size: int) -> None:
        """Count bytes of a member that were not counted before; raises Invalid above the limit."""
        self._total += size
        if self._total > self.limits.total_bytes:
            raise Invalid("file", f"unpacks to more than {self.limits.total_bytes} bytes in all")

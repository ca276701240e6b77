"""Files as people pack them, and a reader of the bundles that they become."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from memferry.sources.base import Bundle
from memferry.sources.bundles.containers import open_bundle
from memferry.sources.bundles.limits import BundleLimits

WORDS = b"Green tea before noon.\n" * 1000


def make_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive as Python writes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as writer:
        for name, data in files.items():
            writer.writestr(name, data)
    return archive.getvalue()


def make_tar(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive as Python writes it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=form) as writer:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            writer.addfile(info, io.BytesIO(data))
    return archive.getvalue()


class BundleReader:
    """Opens files in a directory of a test, and looks at what is left there."""

    def __init__(self, directory: Path) -> None:
        self.uploads = directory / "uploads"
        self.unpacked = directory / "unpacked"
        self.uploads.mkdir()
        self.unpacked.mkdir()

    def read(self, *files: bytes, limits: BundleLimits | None = None) -> dict[str, bytes]:
        """The members of some files by name."""

        def read_all(bundle: Bundle) -> dict[str, bytes]:
            members = {}
            for member in bundle.members:
                with member.open() as file:
                    members[member.name] = file.read()
                assert members[member.name].startswith(member.peek(10))
            return members

        return self.use(read_all, *files, limits=limits)

    def use(
        self,
        action: Callable[[Bundle], dict[str, bytes]],
        *files: bytes,
        limits: BundleLimits | None = None,
    ) -> dict[str, bytes]:
        """What an action makes of the bundle."""
        for number, data in enumerate(files, 1):
            (self.uploads / f"file{number}").write_bytes(data)
        paths = sorted(self.uploads.iterdir())
        with open_bundle([(path.name, path) for path in paths], self.unpacked, limits) as bundle:
            return action(bundle)

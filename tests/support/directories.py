"""Directories of a run."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def make_open_directory() -> Iterator[Path]:
    """A directory that other users can enter, until the end of the block."""
    path = Path(tempfile.mkdtemp(prefix="memferry-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)

"""Chromium, which opens a page as a reader does and tells what became of it."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
needs_browser = pytest.mark.skipif(
    not CHROMIUM, reason="no chromium here; on Debian: apt-get install chromium"
)
_OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def open_page(url: str, profile: Path, *options: str) -> bytes:
    """Open a page in a fresh profile; what the browser prints with these options."""
    # Chromium's sandbox refuses to work for root.
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    browser = subprocess.Popen(
        [CHROMIUM, *_OPTIONS, *sandbox, f"--user-data-dir={profile}", *options, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = browser.communicate(timeout=100)
    finally:
        # Its own processes too: some outlive it for a moment, and all of them a timeout.
        with suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
    assert browser.returncode == 0
    return output


def read_page(url: str, profile: Path) -> str:
    """The elements of a page as HTML, once its scripts have run."""
    return open_page(url, profile, "--virtual-time-budget=5000", "--dump-dom").decode()

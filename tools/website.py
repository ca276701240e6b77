"""Builds the documentation as a site of HTML: docs/ and the pages of the root.

`./run site` runs it. Pages and pictures lie in the site as in the repository, so the same links
serve both. A link that leads nowhere makes it fail.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
_SETTINGS = ROOT / "docs/site.toml"
_KINDS = ("*.md", "*.png", "*.sql", "LICENSE")


def stage(folder: Path) -> None:
    """Copy the settings, and below `pages` all that pages may link to."""
    shutil.copy(_SETTINGS, folder / "zensical.toml")
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", *_KINDS]
    for name in subprocess.check_output(command, text=True).split("\0"):
        if name and not name.startswith(("tests/", "src/")):
            (folder / "pages" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "pages" / name)


def build(target: Path) -> None:
    """Build the site into a folder, in the place of what is there; raises if a link is dead."""
    with tempfile.TemporaryDirectory(prefix="memferry-site-") as name:
        stage(Path(name))
        command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
        subprocess.run(command, cwd=name, check=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(Path(name, "site"), target)


def main() -> None:
    """Build into site/, or the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "site")
    folder = parser.parse_args().folder
    build(folder)
    sys.stdout.write(f"{folder / 'index.html'}\n")


if __name__ == "__main__":
    main()

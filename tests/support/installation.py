"""The package as users install it: the built wheel in an environment that has nothing of ours."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
_DESCRIBE = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
_INSTALL = ("install", "--quiet", "--only-binary=:all:")
Done = subprocess.CompletedProcess[str]


def find_python(version: str) -> Path | None:
    """Find the interpreter of a version on PATH."""
    if (command := shutil.which(f"python{version}")) is None:
        return None
    # The name may be that of a script which starts another version, or none.
    found, _, path = run([command, "-c", _DESCRIBE]).stdout.strip().partition(" ")
    return Path(path) if found == version else None


@dataclass(frozen=True)
class Installation:
    """An environment with packages, and the home of the user who runs its programs."""

    folder: Path
    home: Path

    def get_program(self, name: str) -> Path:
        """The path of one of its programs."""
        return self.folder / "bin" / name

    def run(self, program: str, *words: str, place: Path | None = None) -> Done:
        """Run one of its programs, without settings and without what the tests can import."""
        return run([str(self.get_program(program)), *words], place, self.home)

    def extend(self, package: str) -> "Installation":
        """Make an environment that has this one's packages and, beside them, one more."""
        extended = Installation(self.folder.with_name(f"{self.folder.name}-more"), self.home)
        check(self.run("python", "-m", "venv", "--clear", "--without-pip", str(extended.folder)))
        paths = extended.find_packages() / "known.pth"
        paths.write_text(f"{self.find_packages()}\n")
        there = ("--python", str(extended.get_program("python")))
        check(run([str(self.get_program("python")), "-m", "pip", *there, *_INSTALL, package]))
        return extended

    def find_packages(self) -> Path:
        """Find the folder of its packages."""
        (folder,) = self.folder.glob("lib/python*/site-packages")
        return folder


def install(python: Path, folder: Path, home: Path, package: str) -> Installation:
    """Make an environment with a package and what it needs; pip chooses where from."""
    installation = Installation(folder, home)
    check(run([str(python), "-m", "venv", str(folder)]))
    check(run([str(installation.get_program("python")), "-m", "pip", *_INSTALL, package]))
    return installation


def make_environment(home: Path | None = None) -> dict[str, str]:
    """The environment of a user who has set nothing of ours; files go below `home`, if given."""
    ours = ("MEMFERRY_", "PYTHON", "VIRTUAL_ENV", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept if home is None else kept | {"HOME": str(home), "TMPDIR": str(home)}


def run(command: list[str], place: Path | None = None, home: Path | None = None) -> Done:
    """Run a program to its end."""
    return subprocess.run(
        command,
        cwd=place,
        env=make_environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def check(done: Done) -> str:
    """What a program has printed, if it did its work."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

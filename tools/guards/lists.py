"""The lists of guards: `guards_*.py` beside the tests that they name."""

import importlib.util
from pathlib import Path

from guards.guard import Guard

ROOT = Path(__file__).parents[2]


def load_guards() -> tuple[Guard, ...]:
    """The guards of all lists, in the order of their files."""
    return tuple(guard for file in sorted(find_lists()) for guard in load_list(file))


def find_lists() -> list[Path]:
    """The files of all lists."""
    return list((ROOT / "tests").glob("*/guards_*.py"))


def load_list(file: Path) -> tuple[Guard, ...]:
    """The guards of one list."""
    # By its path: a folder of tests may have the name of a package of Python, such as http.
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    guards: tuple[Guard, ...] = module.GUARDS
    return guards

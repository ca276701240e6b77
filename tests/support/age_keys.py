"""Key pairs of age."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage


@dataclass(frozen=True)
class Key:
    """A key pair of age, the secret half in a file as age-keygen writes it."""

    public: str
    secret: Any
    file: Path


def make_key(folder: Path, name: str) -> Key:
    secret = pyrage.x25519.Identity.generate()
    file = folder / name
    file.write_text(f"# created: today\n# public key: {secret.to_public()}\n{secret}\n")
    return Key(str(secret.to_public()), secret, file)

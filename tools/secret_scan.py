"""Looks for secrets in every file that git tracks: tokens, keys of clouds, private keys.

`./run check` runs it. A line that only looks like one is let through by `pragma: allowlist secret`.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parent.parent
# What has a shape of its own. Entropy would point at every digest, and words like "password" at
# every test that makes one up.
_SHAPES = (
    *("AWSKeyDetector", "AzureStorageKeyDetector", "DiscordBotTokenDetector"),
    *("GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector"),
    *("SlackDetector", "SquareOAuthDetector", "StripeDetector", "TwilioKeyDetector"),
)
_OUR_OWN = {"name": "OwnToken", "path": (ROOT / "tools/secret_shapes.py").as_uri()}
_SETTINGS = {
    "plugins_used": [*({"name": each} for each in _SHAPES), _OUR_OWN],
    "filters_used": [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}],
}


def list_files() -> list[Path]:
    """Every file of the repository."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.check_output(command, text=True)
    return [ROOT / name for name in names.split("\0") if name]


def find_secrets(files: Iterable[Path]) -> Iterator[str]:
    """File, line and kind of everything that looks like a secret; never the secret itself."""
    with transient_settings(_SETTINGS):
        for file in files:
            if file.is_file():
                for each in scan_file(str(file)):
                    yield f"{file}:{each.line_number}: {each.type}"


def main() -> int:
    """Say what was found; 1 if anything was."""
    files = list_files()
    found = list(find_secrets(files))
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"secrets: {len(found)} found in {len(files)} files\n")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())

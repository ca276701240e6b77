"""What this project's own secrets look like, for the scan."""

import re
from collections.abc import Sequence

from detect_secrets.plugins.base import RegexBasedDetector


class OwnToken(RegexBasedDetector):
    """Bearer tokens and secrets of webhooks: a prefix and 32 bytes in base64url."""

    secret_type = "memferry token"
    denylist: Sequence["re.Pattern[str]"] = (re.compile(r"\b(?:mnu|whsec)_[A-Za-z0-9_-]{43}\b"),)

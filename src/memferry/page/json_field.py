"""JSON as people write it into a form."""

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.model import strict_json

_raw = msgspec.json.Decoder(Raw)


def read_json(field: str, text: str) -> Raw:
    """Read one JSON value, so that it can stand in a body and be nothing but itself."""
    try:
        return strict_json.decode(_raw, text.strip().encode())
    except Invalid as fault:
        # Line and column say where; the offset behind them says it again.
        reason = fault.reason.removeprefix("is not valid JSON: ").partition(" (char ")[0]
        raise Invalid(field, f'is no JSON object, such as {{"kind": "plan"}}: {reason}') from fault

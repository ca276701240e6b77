"""Times, numbers and sizes as elements, which scripts rewrite in the language of the reader."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from markupsafe import Markup, escape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999, behind which datetime knows no time."""
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


def show_time(epoch_ms: int | None, precision: str = "minute") -> Markup:
    """A time as an element, as a `day` or to the minute; without scripts in UTC. None: a dash."""
    if epoch_ms is None:
        return Markup('<span class="none">\u2013</span>')
    if not 0 <= epoch_ms <= _LAST_MS:
        return Markup("<span>{} ms</span>").format(epoch_ms)
    time = _EPOCH + timedelta(milliseconds=epoch_ms)
    iso = f"{time:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03}Z"
    text = f"{time:%Y-%m-%d}" if precision == "day" else f"{time:%Y-%m-%d %H:%M} UTC"
    return Markup('<time class="{}" datetime="{}">{}</time>').format(precision, iso, text)


def show_number(number: int) -> Markup:
    """A whole number as an element."""
    return Markup('<data value="{}">{}</data>').format(number, f"{number:,}")


def show_size(size_bytes: int | None) -> Markup:
    """A size in bytes, in the unit that leaves a short number. None: a dash."""
    if size_bytes is None:
        return Markup('<span class="none">\u2013</span>')
    size, unit = float(size_bytes), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    text = f"{size_bytes:,}" if unit == 0 else f"{size:,.1f}"
    return Markup('<data class="size" value="{}" title="{} bytes">{} {}</data>').format(
        size_bytes, f"{size_bytes:,}", text, _UNITS[unit]
    )


def show_exact(text: str) -> Markup:
    """A text with every character: a bare CR would become a line feed (HTML, section 13.2.3.5)."""
    return Markup("&#13;").join(escape(part) for part in text.split("\r"))


def show_path(text: str) -> str:
    """A text as one part of an address."""
    return quote(text, safe="")


def show_words(name: str) -> str:
    """A name of the API, such as an event or a code, as words."""
    return name.replace(".", " ").replace("_", " ")


def show_count(number: int, one: str, many: str) -> Markup:
    """A number with its noun, in the singular or the plural."""
    return show_number(number) + Markup("\u00a0{}").format(one if number == 1 else many)

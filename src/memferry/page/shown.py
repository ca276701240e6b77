"""Times, numbers and sizes as elements, which scripts rewrite in the language of the reader."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999, behind which datetime knows no time."""
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


def show_time(epoch_ms: int | None) -> Markup:
    """A time as an element; without scripts in UTC. None: a dash."""
    if epoch_ms is None:
        return Markup('<span class="none">\u2013</span>')
    if not 0 <= epoch_ms <= _LAST_MS:
        return Markup("<span>{} ms</span>").format(epoch_ms)
    time = _EPOCH + timedelta(milliseconds=epoch_ms)
    iso = f"{time:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03}Z"
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M} UTC</time>').format(iso, time)


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
    return Markup('<span class="size" title="{} bytes">{} {}</span>').format(
        f"{size_bytes:,}", text, _UNITS[unit]
    )


def show_count(number: int, one: str, many: str) -> Markup:
    """A number with its noun, in the singular or the plural."""
    return show_number(number) + Markup("\u00a0{}").format(one if number == 1 else many)

"""Files that only the holder of a key can read: age (https://age-encryption.org/v1).

The service knows public keys alone. Each file is encrypted anew, so the same rows give other bytes.
"""

import re
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

import pyrage

from memferry.errors import Invalid

EXTENSION = "age"
MEDIA_TYPE = "application/vnd.age"
# One X25519 key in Bech32, as age-keygen prints it: age knows other kinds, which need plugins.
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")


_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PRIME = 2**255 - 19
# What is encrypted to one of these points, everybody can read; age's own check is a panic
# (https://www.rfc-editor.org/rfc/rfc7748#section-6.1, https://cr.yp.to/ecdh.html#validate).
_SMALL_POINTS = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    }
)


def check_recipient(field: str, text: str) -> str:
    """The public key; raises Invalid, and repeats nothing, for what age does not encrypt to."""
    if not _is_recipient(text) or _point(text) in _SMALL_POINTS:
        raise Invalid(field, "expected a public key of age, as age-keygen prints it: age1…")
    return text


def _is_recipient(text: str) -> bool:
    if not _RECIPIENT.fullmatch(text):
        return False
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


def _point(recipient: str) -> int:
    """The coordinate that the key stands for (Bech32: five bits a letter, six letters of sum)."""
    number = 0
    for letter in recipient.removeprefix("age1")[:-6]:
        number = number << 5 | _LETTERS.index(letter)
    key = (number >> 4).to_bytes(32, "big")
    return (int.from_bytes(key, "little") & (2**255 - 1)) % _PRIME


class Encryptor:
    """A Compressor that encrypts. What it was given last is all it holds.

    pyrage reads from a file and writes to one, so it runs in a thread of its own, which stands
    still whenever it has read all that was given. `close` ends the thread, early or not.
    """

    def __init__(self, recipient: str) -> None:
        self._input: SimpleQueue[bytes | None] = SimpleQueue()
        self._results: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._recipient = pyrage.x25519.Recipient.from_str(recipient)
        self._thread = Thread(target=self._run, name="age", daemon=True)
        self._thread.start()

    def compress(self, data: bytes, /) -> bytes:
        """What has come out by the time all of it was read."""
        return self._hand_over(data) if data else b""

    def flush(self) -> bytes:
        """The rest."""
        return self._hand_over(b"")

    def close(self) -> None:
        """Let the thread end, also if the file is not whole."""
        self._input.put(None)

    def _hand_over(self, data: bytes) -> bytes:
        self._input.put(data)
        result = self._results.get()
        if isinstance(result, Exception):
            raise result
        return result

    def _run(self) -> None:
        written: list[bytes] = []

        def hand_on() -> None:
            self._results.put(b"".join(written))
            written.clear()

        try:
            source = _Source(self._input, hand_on)
            pyrage.encrypt_io(source, _Sink(written), [self._recipient])
            hand_on()
        except BaseException as fault:  # noqa: BLE001 - whoever waits gets it; a panic is no Exception
            self._results.put(pyrage.EncryptError(f"{type(fault).__name__}: {fault}"))


class _Source:
    """What pyrage reads: what is handed over, then its end."""

    def __init__(self, given: "SimpleQueue[bytes | None]", used_up: Callable[[], None]) -> None:
        self._input = given
        self._used_up = used_up
        self._rest = memoryview(b"")
        self._started = False
        self._ended = False

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        if not self._rest and not self._ended:
            if self._started:
                self._used_up()
            data = self._input.get()
            if data is None:
                # Not an InterruptedError: pyrage would read again.
                raise ValueError("the file was given up")
            self._started, self._ended, self._rest = True, not data, memoryview(data)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


class _Sink:
    """What pyrage writes to."""

    def __init__(self, written: list[bytes]) -> None:
        self._written = written

    def write(self, data: bytes) -> int:
        """Keep it."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

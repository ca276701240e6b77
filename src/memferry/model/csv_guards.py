r"""Where a spreadsheet may find a formula in a cell of CSV: there a guard is put, a quote `'`.

A quote is one of the marks passed over on the way to a formula, so a guarded text is risky itself,
and one that was not guarded never looks like one: taking one quote from each place gives the text
back.
"""

import re
from typing import LiteralString

# What starts a formula: the ASCII signs, their full-width, small, raised, lowered and mathematical
# twins (all that NFKC turns into one), and what DDE and macros start with in some programs.
STARTS: LiteralString = (
    r"=+\-@|%"
    r"\u207A-\u207C\u208A-\u208C\u2212\uFB29\uFE62\uFE63\uFE66\uFE6A\uFE6B"
    r"\uFF05\uFF0B\uFF0D\uFF1D\uFF20\uFF5C\U00002A74-\U00002A76"
)
# What a program may pass over on its way there: controls, blanks, marks that show nothing, quotes.
PASSED_OVER: LiteralString = (
    r"\u0001-\u0020\u0022\u0027\u007F-\u00A0\u00AD\u034F\u0600-\u0605\u061C\u06DD\u070F"
    r"\u0890\u0891\u08E2\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F"
    r"\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFC"
    r"\U000110BD\U000110CD\U00013430-\U0001343F\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A"
    r"\U000E0000-\U000E0FFF"
)
# Tab and line ends at the start of a cell are enough by themselves.
FIRST: LiteralString = rf"[{PASSED_OVER}]*[{STARTS}\t\r\n]"
# Where a cell starts for a program that separates by semicolon or tab, as in many languages. To it
# the quotes of this file mean nothing, since they stand in the middle of what it takes for a cell.
SEPARATORS: LiteralString = r"[;\t\r\n]"
LATER: LiteralString = f"[{PASSED_OVER}]*[{STARTS}]"
RISKY: LiteralString = f"^{FIRST}|{SEPARATORS}{LATER}"
PLACES: LiteralString = f"^(?={FIRST})|(?<={SEPARATORS})(?={LATER})"

_FIRST_RISK = re.compile(FIRST)
# A blank run is passed as a whole, whether a formula follows or not: so the search is linear.
_RUN = re.compile(f";?[{PASSED_OVER}]*+[{STARTS}]|[{PASSED_OVER}]++")
_GUARD = re.compile(f"(?<={SEPARATORS})'")
_START = re.compile(f"[{STARTS}]")


def remove_guards(text: str) -> str:
    """The text that a guarded one stands for."""
    if "'" not in text:
        return text
    if text.startswith("'") and _FIRST_RISK.match(text, 1):
        text = text[1:]
    return _RUN.sub(_clear_run, text)


def _clear_run(run: re.Match[str]) -> str:
    return _GUARD.sub("", run[0]) if _START.match(run[0][-1]) else run[0]

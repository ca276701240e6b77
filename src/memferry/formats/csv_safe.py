r"""Guards for a CSV that a spreadsheet only shows: no text in it becomes a formula.

A quote `'` is put before whatever a spreadsheet may run, at the start of a cell and wherever a
reader that takes another separator than the comma would start one. See OWASP on CSV injection
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from typing import LiteralString

from memferry.model.csv_guards import PLACES, RISKY


def guard(text: LiteralString) -> LiteralString:
    """The SQL expression of a text with its guards; most texts need none and are only looked at."""
    return (
        f"CASE WHEN {text} ~ '{RISKY}' "
        f"THEN regexp_replace({text}, '{PLACES}', '''', 'g') ELSE {text} END"
    )

"""Every row of a store in one order, the texts of rows that are searched for a part, and what was found.

All are kept up with each change: nothing is sorted for an answer, a search for a part of a text runs through
a list of texts without a step of Python for each row, and one that is asked again, as for its next page,
costs what the page holds.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import compress, repeat
from operator import contains
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubekit.store import Row

OrderFn = Callable[["Row"], tuple[str, ...]]
"""What rows are sorted by; no two rows may share a value. The store keeps an order for each such function."""

TextFn = Callable[["Row"], str]
"""A text of a row that parts are looked for in. An order keeps a list of texts for each such function."""


REMEMBERED = 16
"""Searches of an order that are kept up; the one that was not asked for longest makes room."""


class Ordering:
    """Rows sorted by a function of them. Callers must not change the lists that they get."""

    def __init__(self, by: OrderFn, rows: Iterable["Row"]) -> None:
        self.by = by
        self.rows = sorted(rows, key=by)
        self._texts: dict[TextFn, list[str]] = {}
        self._found: OrderedDict[tuple[TextFn, str], list[Row]] = OrderedDict()

    def containing(self, text: TextFn, part: str) -> Sequence["Row"]:
        """The rows whose text contains `part`, in order."""
        found = self._found.get((text, part))
        if found is None:
            found = self._found[text, part] = self._search(text, part)
            if len(self._found) > REMEMBERED:
                self._found.popitem(last=False)
        else:
            self._found.move_to_end((text, part))
        return found

    def drop(self, row: "Row") -> None:
        """Takes a row out."""
        at = self._place(self.rows, row)
        del self.rows[at]
        for texts in self._texts.values():
            del texts[at]
        for (text, part), found in self._found.items():
            if part in text(row):
                del found[self._place(found, row)]

    def add(self, row: "Row") -> None:
        """Puts a row in its place."""
        at = self._place(self.rows, row)
        self.rows.insert(at, row)
        for text, texts in self._texts.items():
            texts.insert(at, text(row))
        for (text, part), found in self._found.items():
            if part in text(row):
                insort(found, row, key=self.by)

    def _search(self, text: TextFn, part: str) -> list["Row"]:
        texts = self._texts.get(text)
        if texts is None:
            texts = self._texts[text] = [text(row) for row in self.rows]
        return list(compress(self.rows, map(contains, texts, repeat(part))))

    def _place(self, rows: Sequence["Row"], row: "Row") -> int:
        return bisect_left(rows, self.by(row), key=self.by)

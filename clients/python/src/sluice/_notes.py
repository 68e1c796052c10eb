"""What was changed to make a record storable."""

from __future__ import annotations

from ._text import cut

#: How many changes are described; all are counted.
MAX_CHANGES = 5
MAX_UNITS = 1_024


class Notes:
    """Collects what was changed, in order, and keeps it short."""

    __slots__ = ("_changes", "_lines")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._changes = 0

    def add(self, line: str) -> None:
        """Add a whole sentence."""
        self._lines.append(line)

    def changed(self, path: str, what: str) -> None:
        """Note a value that was replaced."""
        self._changes += 1
        if self._changes <= MAX_CHANGES:
            self._lines.append(f"{path}: {what}")

    def copy(self) -> Notes:
        other = Notes()
        other._lines = list(self._lines)
        other._changes = self._changes
        return other

    def text(self) -> str | None:
        """Return the text of the column, at most 1,024 units long, or None if nothing was changed."""
        hidden = self._changes - MAX_CHANGES
        lines = [*self._lines, f"{hidden} more values changed"] if hidden > 0 else self._lines
        if not lines:
            return None
        text = "; ".join(lines)
        kept = cut(text, MAX_UNITS - 1)
        return text if kept == text else kept + "…"

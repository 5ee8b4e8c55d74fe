"""Two summaries of streams in a memory that does not grow: how warm a page is, and how many prefixes were seen.

Both take hashes that the caller has keyed, so nobody outside can aim at a cell.
"""

from __future__ import annotations

from math import log

CELLS = 65536
REGISTERS = 64
_STEP, _COLD = 16, 48
"""What one look adds to a page's warmth; below three looks it is cold."""

_COOLED = bytes(n * 7 // 8 for n in range(256))
_ALPHA = 0.709  # of HyperLogLog with 64 registers (Flajolet et al. 2007)


class Warmth:
    """How often pages were asked for lately: a count-min sketch of two rows, 128 KiB."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells = bytearray(2 * CELLS)

    def look(self, page: int) -> bool:
        """Count a page by its hash (at least 32 bits); whether it was cold until now."""
        cells = self._cells
        one, two = page & (CELLS - 1), CELLS + (page >> 16 & (CELLS - 1))
        seen = min(cells[one], cells[two])
        # Conservative update: only what is least is raised, so collisions hurt little (Estan and Varghese 2002).
        raised = min(seen + _STEP, 255)
        cells[one] = max(cells[one], raised)
        cells[two] = max(cells[two], raised)
        return seen < _COLD

    def cool(self) -> None:
        """Take an eighth of every page's warmth away."""
        self._cells = self._cells.translate(_COOLED)


class Prefixes:
    """How many different hashes each of ``size`` places saw: HyperLogLog with 64 registers of a byte, 13 % off."""

    __slots__ = ("_registers",)

    def __init__(self, size: int) -> None:
        self._registers = bytearray(size * REGISTERS)

    def add(self, place: int, source: int) -> None:
        """Count a hash (64 bits) at a place."""
        bits = (source >> 16 & 0xFFFFFFFF) | 1 << 32
        rank = (bits & -bits).bit_length()
        register = place * REGISTERS + (source >> 48 & (REGISTERS - 1))
        if self._registers[register] < rank:
            self._registers[register] = rank

    def take(self, place: int) -> bytes:
        """A place's registers; it starts anew."""
        start, end = place * REGISTERS, (place + 1) * REGISTERS
        taken = bytes(self._registers[start:end])
        self._registers[start:end] = bytes(REGISTERS)
        return taken

    def put(self, place: int, registers: bytes) -> None:
        """Add what was taken elsewhere."""
        start = place * REGISTERS
        for n, rank in enumerate(registers, start):
            if self._registers[n] < rank:
                self._registers[n] = rank


def estimate(registers: bytes) -> int:
    """How many different hashes these registers saw (linear counting while some are empty)."""
    empty = registers.count(0)
    if empty:
        return round(REGISTERS * log(REGISTERS / empty))
    return round(_ALPHA * REGISTERS**2 / sum(2.0**-rank for rank in registers))

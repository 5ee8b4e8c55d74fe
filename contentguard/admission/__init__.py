"""Who may have more: what a reader's browser carries, and what it has earned. Pure: keys, clocks and chance come in."""

"""``python -m contentguard``: the same as the command ``contentguard``."""

from contentguard.cli import main

raise SystemExit(main())

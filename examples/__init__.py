"""Runnable examples. Each one is a small real site that mounts contentguard the way a publisher would."""

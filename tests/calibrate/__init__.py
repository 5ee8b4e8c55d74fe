"""Learn the detectors' weights from captured clients, and report what they do: ``python -m tests.calibrate``."""

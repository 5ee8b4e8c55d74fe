"""A process that records copies until it is killed: prints how many are in the database, and when they came."""

from __future__ import annotations

import sys
import time

from contentguard.backends.evidence import EvidenceLog
from contentguard.backends.recording import Recorder
from tests.backends.evidence import KEY, issued

if __name__ == "__main__":
    recorder = Recorder(lambda: EvidenceLog(sys.argv[1], KEY))
    number = 0
    while True:
        number += 1
        recorder.record(issued(number, at=time.time()))
        if number % 10 == 0:
            print(number, recorder.written, time.time(), flush=True)
        time.sleep(0.0005)

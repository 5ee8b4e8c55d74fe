"""Text and marks: what a copy says of whom it was made for, put in and read out again.

Strategy: several channels that fail to different attacks. Frames name a copy by themselves; gaps and variants are
compared with what each reader's copy had. A payload names a pass, never a person; evidence is counted in bits, with a
bound on a false accusation. One file for each channel; what they are put together by is ``compiled`` and ``score``.
"""

from __future__ import annotations

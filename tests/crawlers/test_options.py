from __future__ import annotations

import pytest

from contentguard.crawlers.options import Identification
from contentguard.model import Purpose


def test_agents_are_origins() -> None:
    assert Identification(agents={"https://agent.example": Purpose.USER_FETCH}).agents


@pytest.mark.parametrize(
    "agent",
    ["", "agent.example", "http://agent.example", "https://agent.example/", "https://AGENT.example", "https://a.b/c?d"],
)
def test_what_is_no_origin(agent: str) -> None:
    with pytest.raises(ValueError, match="https origins"):
        Identification(agents={agent: Purpose.USER_FETCH})


def test_nobody_waits_for_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="wait must be"):
        Identification(wait=-1)

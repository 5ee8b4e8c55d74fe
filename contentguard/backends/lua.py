"""The steps of the stores as scripts that Redis and Valkey run atomically, each on one key and the meter's on two.

They compute what ``limits.gcra`` and ``steps`` compute, in the same doubles and the same order, so that the answers are
the same to the last bit. Ends are compared with the caller's clock, like in memory; Redis's own expiry only sweeps up
behind it, ``LEEWAY`` seconds later, for callers whose clocks differ.
"""

from __future__ import annotations

from hashlib import sha1
from math import ceil

from contentguard.backends.steps import DAY, HOUR

LEEWAY = 60
_TEN_YEARS = 315_360_000


class Script:
    """A script's text, and the name by which Redis knows it (EVALSHA wants SHA-1)."""

    __slots__ = ("name", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = sha1(text.encode(), usedforsecurity=False).hexdigest()


def ttl(seconds: float) -> str:
    """For how long Redis keeps what ends in so many seconds: seconds, as an argument of EX."""
    return str(min(max(ceil(seconds), 0), _TEN_YEARS) + LEEWAY)


TAKE = Script("""
local now, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local old = redis.call('GET', KEYS[1])
local used = 0
if old then used = tonumber(old) - now end
if used < 0 then used = 0 elseif used > capacity then used = capacity end
local wanted = used + tonumber(ARGV[3])
if capacity + tonumber(ARGV[4]) - wanted >= 0 then used = wanted end
redis.call('SET', KEYS[1], string.format('%.17g', now + used), 'EX', ARGV[5])
return old
""")
"""now, capacity, cost in seconds, slack, ttl → the bucket's old state, from which the caller knows the rest."""

SPEND = Script("""
local old = redis.call('GET', KEYS[1])
if old and tonumber(old) > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
""")
"""until, now, ttl → 1 when it was not spent."""

METER = Script(f"""
local article, second = ARGV[1], tonumber(ARGV[2])
local revoked = redis.call('GET', KEYS[2])
if revoked and tonumber(revoked) > tonumber(ARGV[5]) then return -1 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', second - {DAY})
for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf')) do
  redis.call('ZADD', KEYS[1], second, ahead)
end
if redis.call('ZSCORE', KEYS[1], article) then return 0 end
local function opens(span, quota)
  if redis.call('ZCOUNT', KEYS[1], '(' .. (second - span), '+inf') < quota then return 0 end
  return tonumber(redis.call('ZRANGE', KEYS[1], -quota, -quota, 'WITHSCORES')[2]) + span
end
local open = math.max(opens({HOUR}, tonumber(ARGV[3])), opens({DAY}, tonumber(ARGV[4])))
if open == 0 then
  redis.call('ZADD', KEYS[1], second, article)
  redis.call('EXPIRE', KEYS[1], {DAY + LEEWAY})
end
return open
""")
"""article, second, quota of the hour, of the day, now → 0, or the second at which there is room for one more; -1 where
the second key says that it is revoked."""

COUNT = Script("""
local until_, now, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local total, ends = 0, ARGV[1]
local old = redis.call('HMGET', KEYS[1], 'total', 'ends')
if old[1] and tonumber(old[2]) > now then total, ends = tonumber(old[1]), old[2] end
if until_ <= now or total + amount > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'total', string.format('%.0f', total + amount), 'ends', ends)
if ends == ARGV[1] then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
return 1
""")
"""until, now, amount, limit, ttl → 1 when it was added."""

JOIN = Script("""
local member, until_, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
local stays = redis.call('ZSCORE', KEYS[1], member)
if not stays and (until_ <= now or redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4])) then return 0 end
if not stays or tonumber(stays) < until_ then
  redis.call('ZADD', KEYS[1], ARGV[2], member)
  if redis.call('TTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
end
return 1
""")
"""member, until, now, most, ttl → 1 when it is a member."""

REVOKE = Script("""
local old = redis.call('GET', KEYS[1])
if old and tonumber(old) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
""")
"""until, ttl → 1 when that is later than it was."""

SCRIPTS = (TAKE, SPEND, METER, COUNT, JOIN, REVOKE)

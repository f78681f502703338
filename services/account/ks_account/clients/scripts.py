"""The Lua scripts of `sessions`: each is one step that Redis takes at once.

The first three share their keys and arguments: KEYS  1 failures of the user, 2 failures from the address, 3
log of logins ARGV  1 what is counted of the address, 2 the address, 3 limit of the user from the address, 4
limit of the user from unknown addresses, 5 limit of the address, 6 window in ms
"""

_WAITING = """
local function remaining(key)
  return math.max(redis.call('PTTL', key), 1)
end
local function is_known(address)
  local ending = ',' .. address
  for _, line in ipairs(redis.call('LRANGE', KEYS[3], -10, -1)) do
    if string.sub(line, -#ending) == ending then return true end
  end
  return false
end
local function waiting()
  local here = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
  if here >= tonumber(ARGV[3]) then return remaining(KEYS[1]) end
  if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[5]) then return remaining(KEYS[2]) end
  local total = tonumber(redis.call('HGET', KEYS[1], 'total') or '0')
  if total >= tonumber(ARGV[4]) and not is_known(ARGV[2]) then return remaining(KEYS[1]) end
  return 0
end
"""

ADMIT = _WAITING + "return waiting()"

FAIL = """
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('HINCRBY', KEYS[1], 'total', 1)
redis.call('INCR', KEYS[2])
for i = 1, 2 do
  if redis.call('PTTL', KEYS[i]) < 0 then redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
end
return 0
"""

BEGIN = (
    _WAITING
    + """
-- KEYS 4 sessions, 5 the token's, 6 grants
-- ARGV 7 token, 8 idle time in ms or 0, 9 most sessions, 10 now, 11 line of the log or '',
--      12 prefix of tokens, 13 length of the log
local refused = waiting()
if refused > 0 then return refused end

local forgiven = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if forgiven > 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'total', -forgiven)
end

local live = {}
for _, token in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  if redis.call('EXISTS', ARGV[12] .. token) == 1 then
    table.insert(live, token)
  else
    redis.call('ZREM', KEYS[4], token)
  end
end
for i = 1, #live - tonumber(ARGV[9]) + 1 do
  redis.call('DEL', ARGV[12] .. live[i])
  redis.call('ZREM', KEYS[4], live[i])
end
if tonumber(ARGV[9]) == 1 then redis.call('DEL', KEYS[6]) end

redis.call('SET', KEYS[5], ARGV[7])
if tonumber(ARGV[8]) > 0 then redis.call('PEXPIRE', KEYS[5], ARGV[8]) end
redis.call('ZADD', KEYS[4], ARGV[10], ARGV[7])
if ARGV[11] ~= '' then
  redis.call('RPUSH', KEYS[3], ARGV[11])
  redis.call('LTRIM', KEYS[3], -tonumber(ARGV[13]), -1)
end
return 0
"""
)

END_ALL = """
-- KEYS 1 sessions, 2 grants; ARGV 1 prefix of tokens
local ended = redis.call('DEL', KEYS[2])
for _, token in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  ended = ended + redis.call('DEL', ARGV[1] .. token)
end
redis.call('DEL', KEYS[1])
return ended
"""

NEXT_NUMBER = """
-- KEYS 1 the counter; ARGV 1 a number to stay above
local number = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + 1
redis.call('SET', KEYS[1], number)
return number
"""

RELEASE = """
-- KEYS 1 a claim; ARGV 1 what its holder wrote
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""

ALL = {
    "admit": ADMIT,
    "fail": FAIL,
    "begin": BEGIN,
    "end_all": END_ALL,
    "next_number": NEXT_NUMBER,
    "release": RELEASE,
}

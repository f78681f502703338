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

_SESSIONS = """
local function make_room(sessions, prefix, most)
  local live = {}
  for _, token in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
    if redis.call('EXISTS', prefix .. token) == 1 then
      table.insert(live, token)
    else
      redis.call('ZREM', sessions, token)
    end
  end
  for i = 1, #live - most + 1 do
    redis.call('DEL', prefix .. live[i])
    redis.call('ZREM', sessions, live[i])
  end
end
local function keep_grant(grants, family, refresh, ends, left, now)
  local all = redis.call('HGETALL', grants)
  for i = 1, #all, 2 do
    local ending = tonumber(string.match(all[i + 1], ' (%d+)$'))
    if ending < tonumber(now) then redis.call('HDEL', grants, all[i]) end
  end
  redis.call('HSET', grants, family, refresh .. ' ' .. ends)
  redis.call('PEXPIRE', grants, left)
end
"""

ADMIT = _WAITING + "return waiting()"

FAIL = (
    _WAITING
    + """
local refused = waiting()
if refused > 0 then return refused end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('HINCRBY', KEYS[1], 'total', 1)
redis.call('INCR', KEYS[2])
for i = 1, 2 do
  if redis.call('PTTL', KEYS[i]) < 0 then redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
end
return 0
"""
)

BEGIN = (
    _WAITING
    + _SESSIONS
    + """
-- KEYS 4 sessions, 5 the token's, 6 grants, 7 set while the user was locked just now
-- ARGV 7 token, 8 its time in ms, 9 most sessions, 10 now, 11 line of the log or '',
--      12 prefix of tokens, 13 length of the log, 14 family or '', 15 its refresh token, 16 end of that,
--      17 time left until then in ms
-- gives -1 for a user who is locked
if redis.call('EXISTS', KEYS[7]) == 1 then return -1 end
local refused = waiting()
if refused > 0 then return refused end

local forgiven = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if forgiven > 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'total', -forgiven)
end

make_room(KEYS[4], ARGV[12], tonumber(ARGV[9]))
if tonumber(ARGV[9]) == 1 then redis.call('DEL', KEYS[6]) end

redis.call('SET', KEYS[5], ARGV[7], 'PX', ARGV[8])
redis.call('ZADD', KEYS[4], ARGV[10], ARGV[7])
if ARGV[14] ~= '' then keep_grant(KEYS[6], ARGV[14], ARGV[15], ARGV[16], ARGV[17], ARGV[10]) end
if ARGV[11] ~= '' then
  redis.call('RPUSH', KEYS[3], ARGV[11])
  redis.call('LTRIM', KEYS[3], -tonumber(ARGV[13]), -1)
end
return 0
"""
)

REFRESH = (
    _SESSIONS
    + """
-- KEYS 1 sessions, 2 the new token's, 3 grants, 4 set while the user was locked just now
-- ARGV 1 new token, 2 its time in ms, 3 most sessions, 4 now, 5 prefix of tokens, 6 family,
--      7 refresh token that was presented, 8 the one that follows it, 9 end of that, 10 time left
-- gives 1 when done, 0 when the family has no grant, -1 when the token was used before, which ends the family
if redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
local kept = redis.call('HGET', KEYS[3], ARGV[6])
if not kept then return 0 end
if string.match(kept, '^(%S+) ') ~= ARGV[7] then
  redis.call('HDEL', KEYS[3], ARGV[6])
  return -1
end
make_room(KEYS[1], ARGV[5], tonumber(ARGV[3]))
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
keep_grant(KEYS[3], ARGV[6], ARGV[8], ARGV[9], ARGV[10], ARGV[4])
return 1
"""
)

END_ALL = """
-- KEYS 1 sessions, 2 grants, 3 API tokens, 4 their last uses; ARGV 1 prefix of tokens
local ended = redis.call('DEL', KEYS[2])
for _, id in ipairs(redis.call('HKEYS', KEYS[3])) do
  ended = ended + redis.call('DEL', ARGV[1] .. id)
end
redis.call('DEL', KEYS[3], KEYS[4])
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

LAST_LOGINS = """
-- KEYS logs of logins; gives the last line of each, '' for one that is empty
local lines = {}
for i, key in ipairs(KEYS) do lines[i] = redis.call('LINDEX', key, -1) or '' end
return lines
"""

ADD_NAMED = """
-- KEYS 1 API tokens, 2 the new token's, 3 set while the user was locked just now
-- ARGV 1 identifier, 2 record, 3 its time in ms, 4 most tokens, 5 name, 6 prefix of tokens
-- gives '' when done, else why not: locked, taken, full
if redis.call('EXISTS', KEYS[3]) == 1 then return 'locked' end
local all, count = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #all, 2 do
  if redis.call('EXISTS', ARGV[6] .. all[i]) == 0 then
    redis.call('HDEL', KEYS[1], all[i])
  else
    if cjson.decode(all[i + 1]).name == ARGV[5] then return 'taken' end
    count = count + 1
  end
end
if count >= tonumber(ARGV[4]) then return 'full' end
redis.call('SET', KEYS[2], 'api', 'PX', ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ''
"""

ALL = {
    "add_api_token": ADD_NAMED,
    "admit": ADMIT,
    "fail": FAIL,
    "begin": BEGIN,
    "refresh": REFRESH,
    "end_all": END_ALL,
    "last_logins": LAST_LOGINS,
    "next_number": NEXT_NUMBER,
    "release": RELEASE,
}

-- Stands in front of every script here. Runs on Redis 6.2 and later.
--
-- Every script takes ARGV[1] channel, ARGV[2] dependency; its own arguments follow.
-- Every script answers {status, now, warning, field, value, ...}: the fields are what is stored
-- after it. A status is OK (stored), DONE (stored before, by a try of the same request that was
-- thought to have failed), STALE (refused, nothing changed) or FOREIGN (written by a version of
-- this library that this one does not understand; nothing changed).

local LAYOUT = '1'
local LARGEST = 9007199254740991 -- the integers that a Lua number holds exactly
local DAY = 86400000
local STATES = { CLOSED = true, HALF_OPEN = true, OPEN = true }
local MODES = { NONE = true, FORCED_OPEN = true, FORCED_CLOSED = true, SHADOW = true }
local REQUESTS_KEPT = 8
local AUDIT_LENGTH = 1000

local channel, dependency = ARGV[1], ARGV[2]
local warning = ''

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function integer(text)
  if type(text) ~= 'string' or not text:match('^%d+$') then
    return nil
  end
  local number = tonumber(text)
  return number <= LARGEST and number or nil
end

-- An epoch or a version follows the clock. One of a far future is damage: nothing could be above it.
local function ordinal(text)
  local number = integer(text)
  return number and number > 0 and number <= now + DAY and number or nil
end

-- Names that are not in the set but look like one belong to a later version.
local function foreign_name(name, set)
  return name and not set[name] and name:match('^[A-Z][A-Z_]*$') ~= nil
end

local function text(number)
  return string.format('%.0f', math.max(0, number))
end

local function read(key, names)
  local values = redis.call('HMGET', key, unpack(names))
  local stored = {}
  for i, name in ipairs(names) do
    stored[name] = values[i] or nil
  end
  return stored
end

local function pairs_of(stored, names)
  local flat = {}
  for _, name in ipairs(names) do
    if stored[name] then
      flat[#flat + 1] = name
      flat[#flat + 1] = stored[name]
    end
  end
  return flat
end

local function answer(status, stored, names)
  return { status, text(now), warning, unpack(pairs_of(stored, names)) }
end

local function escaped(value)
  return (value:gsub('[^%w._-]', function(c)
    return string.format('%%%02X', c:byte())
  end))
end

-- The state is safe once its hash is written, so neither of these two may undo the answer.

local function publish(kind, stored, names)
  local parts = { 'kind=' .. kind, 'dep=' .. escaped(dependency), 'now=' .. text(now) }
  local flat = pairs_of(stored, names)
  for i = 1, #flat, 2 do
    parts[#parts + 1] = flat[i] .. '=' .. escaped(flat[i + 1])
  end
  local sent = redis.pcall('PUBLISH', channel, table.concat(parts, '&'))
  if type(sent) == 'table' and sent.err then
    warning = 'event not published: ' .. sent.err
  end
end

local function audit(key, fields)
  local added = redis.pcall('XADD', key, 'MAXLEN', '~', AUDIT_LENGTH, '*', unpack(fields))
  if type(added) == 'table' and added.err then
    warning = 'audit not written: ' .. added.err
  end
end

-- Puts a request in front of the latest ones. Second: whether it is one of them.
local function remembered(rids, request)
  local requests = { request }
  for earlier in (rids or ''):gmatch('%S+') do
    if earlier == request then
      return rids, true
    end
    if #requests < REQUESTS_KEPT then
      requests[#requests + 1] = earlier
    end
  end
  return table.concat(requests, ' '), false
end

-- ---- states

local STATE_FIELDS = { 'v', 'ep', 'st', 'since', 'until', 'n', 'by', 'cause', 'why', 'rids' }

local function read_state(key)
  local stored = read(key, STATE_FIELDS)
  local epoch = ordinal(stored.ep)
  local sound = epoch and STATES[stored.st] and integer(stored.since)
    and integer(stored['until']) and integer(stored.n)
  local foreign = stored.v and stored.v ~= LAYOUT or epoch and foreign_name(stored.st, STATES)
  -- what cannot be read counts as not there, so that the next write heals it
  return stored, sound and epoch or 0, foreign
end

local function write_state(key, stored)
  redis.call('HSET', key, unpack(pairs_of(stored, STATE_FIELDS)))
  publish('state', stored, STATE_FIELDS)
end

-- ---- overrides

local OVERRIDE_FIELDS = { 'v', 'ver', 'mode', 'exp', 'by', 'why', 'at', 'rids' }

local function read_override(key)
  local stored = read(key, OVERRIDE_FIELDS)
  local version = ordinal(stored.ver)
  local sound = version and MODES[stored.mode] and integer(stored.exp)
  local foreign = stored.v and stored.v ~= LAYOUT or version and foreign_name(stored.mode, MODES)
  return stored, sound and version or 0, foreign
end

local function write_override(key, stored)
  redis.call('HSET', key, unpack(pairs_of(stored, OVERRIDE_FIELDS)))
  publish('override', stored, OVERRIDE_FIELDS)
end

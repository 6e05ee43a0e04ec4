-- An operator decides for the fleet, or takes the decision back (mode NONE).
--
-- KEYS: override, audit. ARGV: channel, dependency, request, version that the operator saw, mode,
-- ms until it expires, by, why, instance.
--
-- Nothing is ever deleted: a release is a newer version, so that an older one cannot come back.

local request, seen, mode = ARGV[3], integer(ARGV[4]), ARGV[5]
local stored, version, foreign = read_override(KEYS[1])

if foreign then
  return answer('FOREIGN', stored, OVERRIDE_FIELDS)
end
local requests, done = remembered(version > 0 and stored.rids, request)
if done then
  return answer('DONE', stored, OVERRIDE_FIELDS)
end
if seen < version then
  return answer('STALE', stored, OVERRIDE_FIELDS)
end

local from = version > 0 and stored.mode or ''
stored = {
  v = LAYOUT,
  ver = text(math.max(version + 1, now, seen + 1)),
  mode = mode,
  exp = mode == 'NONE' and '0' or text(now + tonumber(ARGV[6])),
  by = ARGV[7],
  why = ARGV[8],
  at = text(now),
  rids = requests,
}
write_override(KEYS[1], stored)
audit(KEYS[2], {
  'kind', 'override', 'ver', stored.ver, 'from', from, 'to', mode, 'until', stored.exp,
  'by', stored.by, 'cause', 'OPERATOR', 'why', stored.why, 'instance', ARGV[9],
})
return answer('OK', stored, OVERRIDE_FIELDS)

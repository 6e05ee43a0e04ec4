-- An instance knows a newer override than the one that is stored: the store lost it.
--
-- KEYS: override, audit. ARGV: channel, dependency, version, mode, ms until it expires, by, why,
-- requests, instance.

local lost = integer(ARGV[3])
local stored, version, foreign = read_override(KEYS[1])

if foreign then
  return answer('FOREIGN', stored, OVERRIDE_FIELDS)
end
if lost <= version then
  return answer('STALE', stored, OVERRIDE_FIELDS)
end

local from = version > 0 and stored.mode or ''
stored = {
  v = LAYOUT,
  ver = text(lost),
  mode = ARGV[4],
  exp = ARGV[4] == 'NONE' and '0' or text(now + tonumber(ARGV[5])),
  by = ARGV[6],
  why = ARGV[7],
  at = text(now),
  rids = ARGV[8],
}
write_override(KEYS[1], stored)
audit(KEYS[2], {
  'kind', 'repair-override', 'ver', stored.ver, 'from', from, 'to', stored.mode, 'until', stored.exp,
  'by', stored.by, 'cause', 'OPERATOR', 'why', stored.why, 'instance', ARGV[9],
})
return answer('OK', stored, OVERRIDE_FIELDS)

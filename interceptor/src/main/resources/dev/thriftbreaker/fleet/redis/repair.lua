-- An instance knows a newer state than the one that is stored: the store lost it.
--
-- KEYS: state, audit. ARGV: channel, dependency, epoch, state, age in ms, remaining ms, opens in a
-- row, by, cause, why, requests, instance.

local lost = integer(ARGV[3])
local stored, epoch, foreign = read_state(KEYS[1])

if foreign then
  return answer('FOREIGN', stored, STATE_FIELDS)
end
if lost <= epoch then
  return answer('STALE', stored, STATE_FIELDS)
end

local from = epoch > 0 and stored.st or ''
stored = {
  v = LAYOUT,
  ep = text(lost),
  st = ARGV[4],
  since = text(now - tonumber(ARGV[5])),
  ['until'] = ARGV[4] == 'OPEN' and text(now + tonumber(ARGV[6])) or '0',
  n = ARGV[7],
  by = ARGV[8],
  cause = ARGV[9],
  why = ARGV[10],
  rids = ARGV[11],
}
write_state(KEYS[1], stored)
audit(KEYS[2], {
  'kind', 'repair', 'ep', stored.ep, 'from', from, 'to', stored.st, 'until', stored['until'],
  'by', stored.by, 'cause', stored.cause, 'why', stored.why, 'instance', ARGV[12],
})
return answer('OK', stored, STATE_FIELDS)

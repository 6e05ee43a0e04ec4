-- A breaker of one instance changed its state.
--
-- KEYS: state, audit. ARGV: channel, dependency, request, epoch that the instance knows, state,
-- age in ms, remaining ms, opens in a row, by, cause, why, instance.
--
-- Accepted if the instance knows the latest epoch. A trip is accepted also from an instance that
-- does not, unless the breaker is open already: new evidence is not lost to a race.

local request, seen, state = ARGV[3], integer(ARGV[4]), ARGV[5]
local stored, epoch, foreign = read_state(KEYS[1])

if foreign then
  return answer('FOREIGN', stored, STATE_FIELDS)
end

local requests, done = remembered(epoch > 0 and stored.rids, request)
if done then
  return answer('DONE', stored, STATE_FIELDS)
end
if seen < epoch and not (state == 'OPEN' and stored.st ~= 'OPEN') then
  return answer('STALE', stored, STATE_FIELDS)
end

-- a breaker that nobody remembers starts low, so that a newcomer after a loss of all keys does not
-- outrank those who do
local fresh = epoch == 0 and seen == 0
local from = epoch > 0 and stored.st or ''

stored = {
  v = LAYOUT,
  ep = fresh and '1' or text(math.max(epoch + 1, now, seen + 1)),
  st = state,
  since = text(now - tonumber(ARGV[6])),
  ['until'] = state == 'OPEN' and text(now + tonumber(ARGV[7])) or '0',
  n = ARGV[8],
  by = ARGV[9],
  cause = ARGV[10],
  why = ARGV[11],
  rids = requests,
}
write_state(KEYS[1], stored)
audit(KEYS[2], {
  'kind', 'state', 'ep', stored.ep, 'from', from, 'to', state, 'until', stored['until'],
  'by', stored.by, 'cause', stored.cause, 'why', stored.why, 'instance', ARGV[12],
})
return answer('OK', stored, STATE_FIELDS)

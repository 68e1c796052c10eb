/**
 * Adds snapshots to the lobby's stream, each once, for one publisher at a time. How far the outbox was published is kept beside
 * the stream and moves with it, in one step, and is lost with it when the server loses its last writes. So is whose outbox it
 * is: who publishes says so again and again, and while it does, whoever has another outbox is refused.
 *
 * KEYS: the place, a hash; the stream. ARGV: the epoch of the outbox, the token of the lease, the session, label and holder of
 * whoever calls, the ms that it may be silent before somebody else may publish; what to do; what that needs:
 *
 * - `join`: asks for the place, and says that this one is there.
 * - a number, the place that it believes in; then, for each snapshot, its number in the outbox and its fields as JSON.
 * - `move`: sets the place to the number that follows.
 * - `take`: publishes from now on in the place of one that is silent; then its epoch and place, as `vacant` told them.
 * - `release`: lets somebody else publish at once.
 *
 * Returns what came of it, a place, and epoch, label and holder of the one that publishes: `published`; `elsewhere`, when the
 * place is another one, and nothing was added; `fenced`, when a session with a later lease of this outbox publishes; `refused`,
 * when somebody else does, with the place of the caller's own outbox; `vacant`, when somebody else did and is silent.
 *
 * Redis' own clock counts. When it was set back, a silence begins then.
 */
export const publishScript = `
local epoch, token, session, label, holder, ttl, what = unpack(ARGV, 1, 7)
local key, kept = KEYS[1], 'seq:' .. epoch
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local place = redis.call('HMGET', key, 'epoch', 'token', 'session', 'seq', 'seen_at', 'silence', 'label', 'holder')
local owner, seq, seenAt = place[1], place[4] or '0', tonumber(place[5] or 0)
local isOwner = owner == epoch and place[3] == session
if seenAt > now then
  seenAt = now
  redis.pcall('HSET', key, 'seen_at', now)
end
local isAlive = now - seenAt < tonumber(place[6] or 0)

if what == 'release' then
  if isOwner then redis.call('HSET', key, 'seen_at', 0) end
  return { 'published', seq }
end

local function answer(outcome, at) return { outcome, at, owner, place[7], place[8] } end
local function refuse()
  -- For people; a server that is full refuses it, and the answer is the same.
  redis.pcall('HSET', key, 'refused_label', label, 'refused_holder', holder, 'refused_at', now)
  return answer('refused', redis.call('HGET', key, kept) or '0')
end

if owner and owner ~= epoch then
  if isAlive then return refuse() end
  if what ~= 'take' or ARGV[8] ~= owner or ARGV[9] ~= seq then return answer('vacant', seq) end
  redis.call('HSET', key, 'seq:' .. owner, seq)
  seq = redis.call('HGET', key, kept) or '0'
elseif owner and not isOwner and isAlive then
  if tonumber(place[2]) > tonumber(token) then return answer('fenced', seq) end
  -- Two sessions of one lease: one of them has a copy of the database.
  if place[2] == token then return refuse() end
end

if not isOwner then
  redis.call('HSET', key, 'epoch', epoch, 'token', token, 'session', session, 'seq', seq, 'seen_at', now, 'silence', ttl,
    'label', label, 'holder', holder)
  redis.call('HDEL', key, kept)
elseif now - seenAt >= tonumber(ttl) / 8 then
  redis.pcall('HSET', key, 'seen_at', now)
end
if what == 'move' then
  seq = ARGV[8]
  redis.call('HSET', key, 'seq', seq)
end
if what ~= seq then return { 'elsewhere', seq } end
for at = 8, #ARGV, 2 do
  redis.call('XADD', KEYS[2], '*', unpack(cjson.decode(ARGV[at + 1])))
  seq = ARGV[at]
end
if #ARGV > 7 then redis.call('HSET', key, 'seq', seq) end
return { 'published', seq }
`;

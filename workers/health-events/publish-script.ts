/**
 * Adds snapshots to the lobby's stream, each once: how far the outbox was published is kept beside the stream and moves
 * with it, in one step, and is lost with it when the server loses its last writes.
 *
 * KEYS: the place, a hash; the stream. ARGV: the epoch of the outbox, the token of whoever publishes, the place that it
 * believes in, and then, for each snapshot, its number in the outbox and its fields as JSON; or `join` to ask for the place;
 * or `move` and where to.
 *
 * Returns what came of it and the place: `published`; `elsewhere`, when the place is another one, and nothing was added;
 * `fenced`, when somebody with a higher token has published meanwhile.
 */
export const publishScript = `
local epoch, token, expected = ARGV[1], ARGV[2], ARGV[3]
local place = redis.call('HMGET', KEYS[1], 'epoch', 'token', 'seq')
local known = place[1] == epoch
if known and tonumber(place[2]) > tonumber(token) then return { 'fenced', place[3] } end
local seq = known and place[3] or '0'
if not known or place[2] ~= token then
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'token', token, 'seq', seq)
end
if expected == 'move' then
  seq = ARGV[4]
  redis.call('HSET', KEYS[1], 'seq', seq)
  return { 'elsewhere', seq }
end
if expected ~= seq then return { 'elsewhere', seq } end
for at = 4, #ARGV, 2 do
  redis.call('XADD', KEYS[2], '*', unpack(cjson.decode(ARGV[at + 1])))
  seq = ARGV[at]
end
if #ARGV > 3 then redis.call('HSET', KEYS[1], 'seq', seq) end
return { 'published', seq }
`;

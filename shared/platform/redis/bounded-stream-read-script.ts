/**
 * Reads entries of a stream, and sends of a large one only what is asked for. No command of the server leaves values out,
 * so a script has to; it looks at few entries at a time, as it cannot know how large the next ones are.
 *
 * KEYS: the stream. ARGV: the id to read after; how many entries at most; how many bytes to look through, at most and one page,
 * with those of the description, which may leave none for entries; how many bytes of an entry to send at most; `info` to have
 * the stream described, or nothing; `fields`, or `ids` to have no fields sent; the names of the fields that are kept first.
 *
 * Returns XINFO STREAM with ids in the place of entries, or nil; the bytes of these entries; the entries, each with id and
 * fields, and, when it was cut, with its bytes and with name and bytes of each field that was asked for and is too long; 1 when
 * the end of the stream was reached, else 0; the server's clock in seconds and microseconds.
 *
 * Writes nothing. Returns the error of a command as the command says it, which Redis before 7 would wrap.
 */
export const boundedReadScript = `
local stream, after = KEYS[1], ARGV[1]
local maxEntries, maxScanned, maxEntry = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local wantsInfo, wantsFields = ARGV[5] == 'info', ARGV[6] == 'fields'
local largePage = 1048576

local function sizeOf(fields)
  local size = 0
  for at = 1, #fields do size = size + #fields[at] end
  return size
end

-- The fields that are asked for, of each the last one, and then the others in turn, as many as there is room for.
local function cut(fields)
  local names, room, tooLong = {}, maxEntry, {}
  for at = 7, #ARGV do names[ARGV[at]] = true end
  local isKept = {}
  for at = #fields - 1, 1, -2 do
    local name = fields[at]
    if names[name] then
      names[name] = nil
      local bytes = #name + #fields[at + 1]
      if bytes <= room then
        isKept[at] = true
        room = room - bytes
      else
        tooLong[#tooLong + 1] = name
        tooLong[#tooLong + 1] = #fields[at + 1]
      end
    end
  end
  for at = 7, #ARGV do names[ARGV[at]] = true end
  local kept = {}
  for at = 1, #fields - 1, 2 do
    local bytes = #fields[at] + #fields[at + 1]
    local fits = not names[fields[at]] and bytes <= room
    if fits then room = room - bytes end
    if fits or isKept[at] then
      kept[#kept + 1] = fields[at]
      kept[#kept + 1] = fields[at + 1]
    end
  end
  return kept, tooLong
end

-- As the command says it: Redis 7.0 calls a missing right an error like any other.
local function refusal(reply)
  return redis.error_reply((string.gsub(reply.err, '^ERR The user executing', 'NOPERM The user executing')))
end

local info, infoBytes = false, 0
if wantsInfo then
  info = redis.pcall('XINFO', 'STREAM', stream)
  if info.err then
    if string.sub(info.err, 1, 15) ~= 'ERR no such key' then return refusal(info) end
    info = false
  end
  for at = 2, info and #info or 0, 2 do
    if type(info[at]) == 'table' then
      infoBytes = infoBytes + sizeOf(info[at][2])
      info[at] = info[at][1]
    end
  end
end

local entries, scanned, page, isAtEnd = {}, infoBytes, 1, 0
while #entries < maxEntries and scanned < maxScanned and isAtEnd == 0 do
  local asked = math.min(page, maxEntries - #entries)
  local reply = redis.pcall('XREAD', 'COUNT', asked, 'STREAMS', stream, after)
  if reply and reply.err then return refusal(reply) end
  local read = reply and reply[1][2] or {}
  local largest = 1
  for at = 1, #read do
    local id, fields = read[at][1], read[at][2]
    local size = sizeOf(fields)
    local entry = { id }
    if wantsFields and size <= maxEntry then
      entry = read[at]
    elseif wantsFields then
      local kept, tooLong = cut(fields)
      entry = { id, kept, size, unpack(tooLong) }
    end
    entries[#entries + 1] = entry
    after = id
    scanned = scanned + size
    largest = math.max(largest, size)
  end
  if #read < asked then isAtEnd = 1 end
  page = math.max(1, math.min(8, math.floor(largePage / largest)))
end

-- Else the garbage of large entries stays until some later script makes more.
if scanned > maxScanned then collectgarbage('collect') end
local time = redis.call('TIME')
return { info, infoBytes, entries, isAtEnd, time[1], time[2] }
`;

-- SPDX-License-Identifier: Apache-2.0
-- tcpwitness.lua: recordings of tcpwitness in Wireshark and tshark, installed by "tcpwitness wireshark --install".
--
-- The kernel's rows of a recording are systemd journal entries, its packets have the number of their event as packet ID
-- (docs/recordings.md). This gives them fields, a column, references from a transition to the frame that caused it and
-- back, and findings in Expert Information. It reads what the file says and judges nothing. Lua 5.2 to 5.4.
--
-- What refers to a later frame is known from the second pass on: in Wireshark always, in tshark with -2 -Y FILTER.

-- Installed for all users and for this one too: the first that is loaded counts.
local is_first, proto = pcall(Proto, "tcpwitness", "tcpwitness: kernel and wire")
if not is_first then return end

local f = {
  type = ProtoField.string("tcpwitness.type", "Type"),
  text = ProtoField.string("tcpwitness.text", "Text"),
  event = ProtoField.uint64("tcpwitness.event", "Event", base.DEC),
  conn = ProtoField.uint32("tcpwitness.conn", "Connection", base.DEC),
  ends_local = ProtoField.string("tcpwitness.local", "Local end"),
  ends_remote = ProtoField.string("tcpwitness.remote", "Remote end"),
  process = ProtoField.string("tcpwitness.process", "Process"),
  pid = ProtoField.uint32("tcpwitness.pid", "Process ID", base.DEC),
  state = ProtoField.string("tcpwitness.state", "New state"),
  from = ProtoField.string("tcpwitness.state.from", "Old state"),
  inferred = ProtoField.bool("tcpwitness.inferred", "Inferred: no tracepoint shows it"),
  cause = ProtoField.framenum("tcpwitness.cause", "Caused by frame", base.NONE, frametype.NONE),
  cause_kind = ProtoField.string("tcpwitness.cause.kind", "Kind of cause"),
  cause_what = ProtoField.string("tcpwitness.cause.what", "Cause"),
  cause_event = ProtoField.uint64("tcpwitness.cause.event", "Cause, event", base.DEC),
  cause_delay = ProtoField.relative_time("tcpwitness.cause.delay", "Time since the cause"),
  effect = ProtoField.framenum("tcpwitness.effect", "Caused the transition in frame", base.NONE, frametype.NONE),
  finding = ProtoField.string("tcpwitness.finding", "Finding"),
  confidence = ProtoField.string("tcpwitness.confidence", "Confidence"),
  evidence = ProtoField.framenum("tcpwitness.evidence", "Evidence", base.NONE, frametype.NONE),
  evidence_event = ProtoField.uint64("tcpwitness.evidence.event", "Evidence, event", base.DEC),
  evidence_of = ProtoField.framenum("tcpwitness.evidence_of", "Evidence of the finding in frame", base.NONE, frametype.NONE),
  outcome = ProtoField.string("tcpwitness.outcome", "Outcome"),
  lost = ProtoField.uint64("tcpwitness.lost", "Events lost", base.DEC),
  interface = ProtoField.string("tcpwitness.interface", "Interface"),
  direction = ProtoField.string("tcpwitness.direction", "Direction"),
  copy_of = ProtoField.framenum("tcpwitness.copy_of", "The same segment as frame", base.NONE, frametype.NONE),
}
proto.fields = f

local x = {
  certain = ProtoExpert.new("tcpwitness.finding.certain", "Finding (certain)", expert.group.SEQUENCE, expert.severity.WARN),
  likely = ProtoExpert.new("tcpwitness.finding.likely", "Finding (likely)", expert.group.SEQUENCE, expert.severity.NOTE),
  inconclusive = ProtoExpert.new("tcpwitness.finding.inconclusive", "Finding (inconclusive)", expert.group.SEQUENCE,
    expert.severity.CHAT),
  -- Of every connection that this side closes first.
  ordinary = ProtoExpert.new("tcpwitness.finding.ordinary", "Finding (ordinary)", expert.group.SEQUENCE, expert.severity.CHAT),
  lost = ProtoExpert.new("tcpwitness.events_lost", "Events lost", expert.group.SEQUENCE, expert.severity.WARN),
}
proto.experts = x

-- Absent in versions that have no such field: then nothing refers to packets.
local function extractor(name)
  local known, field = pcall(Field.new, name)
  return known and field or function() return nil end
end
local packet_id = extractor("frame.packet_id")
local journal = extractor("systemd_journal")

local longest_text = 1000 -- bytes that are shown of one
local longest_row = 262144
local most_fields = 200
local most_evidence = 500

local frames      -- event -> its frame; false: two frames have this number (recordings merged into one file)
local flows       -- "local|remote" -> {conn, start, stop}: of the connections that have had these ends, in order
local wire        -- the ends on the wire -> those of the socket (NAT)
local owners      -- connection -> {pid, process}
local effects     -- frame -> frames of the transitions that it caused
local evidence_of -- frame -> frames of findings
local rows        -- how many rows of a recording there were
local learned     -- frames that have been looked at
local merged      -- numbers are not unique

local function begin_file()
  frames, flows, wire, owners, effects, evidence_of = {}, {}, {}, {}, {}, {}
  rows, merged, learned = 0, false, {}
end
proto.init = begin_file
begin_file()

-- One line of valid UTF-8, of bounded length.
local function clean(text)
  if #text > longest_text then text = text:sub(1, longest_text) .. "..." end
  text = text:gsub("[%z\1-\31\127]", "?")
  if not text:find("[\128-\255]") then return text end
  local out, at = {}, 1
  while at <= #text do
    local byte = text:byte(at)
    local more = byte < 0x80 and 0 or byte >= 0xc2 and byte < 0xe0 and 1 or byte >= 0xe0 and byte < 0xf0 and 2 or
      byte >= 0xf0 and byte < 0xf5 and 3 or -1
    local second = text:byte(at + 1) or 0
    local valid = more >= 0 and at + more <= #text
    for i = 1, more do
      local next_byte = text:byte(at + i) or 0
      valid = valid and next_byte >= 0x80 and next_byte < 0xc0
    end
    -- Too long for what it says, a surrogate, beyond Unicode; and control characters of two bytes.
    if byte == 0xe0 and second < 0xa0 or byte == 0xed and second > 0x9f or byte == 0xf0 and second < 0x90 or
      byte == 0xf4 and second > 0x8f or byte == 0xc2 and second < 0xa0 then
      valid = false
    end
    out[#out + 1] = valid and text:sub(at, at + more) or "?"
    at = at + (valid and more + 1 or 1)
  end
  return table.concat(out)
end

-- nil where it is none, or none that is exact.
local function number(text, most)
  if not text or #text > 15 or not text:find("^%d+$") then return nil end
  local value = tonumber(text, 10)
  if most and value > most then return nil end
  return value
end

local function uint64(value) return UInt64.new(value) end

-- NAME=TEXT, a line each, or NAME, a line feed, a length of 64 bits and that many bytes. What is broken ends it.
local function read_row(tvb)
  local raw = tvb:raw(0, math.min(tvb:len(), longest_row))
  local row, at, count = {}, 1, 0
  while at <= #raw and raw:byte(at) ~= 0 and count < most_fields do
    count = count + 1
    local line_end = raw:find("\n", at, true)
    if not line_end then break end
    local equals = raw:find("=", at, true)
    if equals and equals < line_end then
      local name = raw:sub(at, equals - 1)
      if not row[name] then
        row[name] = { text = raw:sub(equals + 1, line_end - 1), at = equals, len = line_end - equals - 1 }
      end
      at = line_end + 1
    else
      if line_end + 8 > #raw then break end
      local length = 0
      for i = 8, 1, -1 do length = length * 256 + raw:byte(line_end + i) end
      if length > #raw - line_end - 8 then break end
      at = line_end + 8 + length + 2
    end
  end
  return row
end

local function is_ours(row)
  return row.SYSLOG_IDENTIFIER and row.SYSLOG_IDENTIFIER.text == "tcpwitness" and row.TCPWITNESS_TYPE and row.MESSAGE
end

local function text_of(row, name)
  return row[name] and row[name].text or nil
end

local function note_frame(event, frame)
  if not event then return end
  if frames[event] == nil then
    frames[event] = frame
  elseif frames[event] ~= frame then
    frames[event] = false
    merged = true
  end
end

-- The frame of an event; nil: it has none in this file, or it is not known which.
local function frame_of(event)
  return event and frames[event] or nil
end

local function add_once(map, key, value)
  local list = map[key]
  if not list then
    map[key] = { value }
    return
  end
  for _, one in ipairs(list) do
    if one == value then return end
  end
  if #list < most_evidence then list[#list + 1] = value end
end

local function key_of(one, other) return one .. "|" .. other end

-- Whose the ends are in this frame. What stands before its first row is the connection's too: its SYN.
local function find_conn(key, frame)
  local list = flows[wire[key] or key]
  if not list or merged then return nil end
  local found
  for _, one in ipairs(list) do
    if not found or one.start <= frame or (found.stop and found.stop < frame) then found = one end
    if one.start > frame then break end
  end
  return found.conn
end

local function note_conn(row, frame)
  local conn = number(text_of(row, "TCPWITNESS_CONN"), 0xffffffff)
  local one, other = text_of(row, "TCPWITNESS_LOCAL"), text_of(row, "TCPWITNESS_REMOTE")
  if not one or not other then return end
  local wire_one, wire_other = text_of(row, "TCPWITNESS_WIRE_LOCAL"), text_of(row, "TCPWITNESS_WIRE_REMOTE")
  if wire_one and wire_other then wire[key_of(wire_one, wire_other)] = key_of(one, other) end
  if not conn or conn == 0 then return end
  local kind = text_of(row, "TCPWITNESS_TYPE")
  local pid, process = number(text_of(row, "_PID"), 0xffffffff), text_of(row, "_COMM")
  if pid and process and (kind == "life" or not owners[conn]) then owners[conn] = { pid = pid, process = clean(process) } end
  if one:find(":0$") or other:find(":0$") then return end -- not known yet
  local key = key_of(one, other)
  local list = flows[key]
  if not list then
    list = {}
    flows[key] = list
  end
  local newest = list[#list]
  if not newest or newest.conn ~= conn then
    for _, older in ipairs(list) do
      if older.conn == conn then return end
    end
    newest = { conn = conn, start = frame }
    list[#list + 1] = newest
  end
  local to = text_of(row, "TCPWITNESS_TO")
  if not newest.stop and (kind == "life" or to == "CLOSE" or to == "TIME_WAIT") then newest.stop = frame end
end

local function each_number(text, most, visit)
  local count = 0
  for digits in (text or ""):gmatch("%d+") do
    count = count + 1
    if count > most then return end
    local value = number(digits)
    if value then visit(value) end
  end
end

-- The first time that it is seen with its fields. That need not be the first pass: tshark -2 has none in it when nothing
-- is asked of them.
local function is_new(frame)
  if learned[frame] then return false end
  learned[frame] = true
  return true
end

local function learn(row, frame)
  rows = rows + 1
  note_frame(number(text_of(row, "TCPWITNESS_EVENT")), frame)
  note_conn(row, frame)
end

-- The frames of its causes and evidence are known when they stand before it, and else the next time.
local function link(row, frame)
  local cause = frame_of(number(text_of(row, "TCPWITNESS_CAUSE_SHOWN") or text_of(row, "TCPWITNESS_CAUSE_EVENT")))
  if cause then add_once(effects, cause, frame) end
  if text_of(row, "TCPWITNESS_RULE") then
    local shown = text_of(row, "TCPWITNESS_EVIDENCE_SHOWN") or text_of(row, "TCPWITNESS_EVIDENCE")
    each_number(shown, most_evidence, function(event)
      local at = frame_of(event)
      if at and at ~= frame then add_once(evidence_of, at, frame) end
    end)
  end
  return cause
end

local function generated(tree, field, value)
  tree:add(field, value):set_generated()
end

local function add_owner(tree, conn)
  generated(tree, f.conn, conn)
  local owner = owners[conn]
  if not owner then return end
  generated(tree, f.process, owner.process)
  generated(tree, f.pid, owner.pid)
end

local function add_links(tree, frame)
  for _, one in ipairs(effects[frame] or {}) do generated(tree, f.effect, one) end
  for _, one in ipairs(evidence_of[frame] or {}) do generated(tree, f.evidence_of, one) end
end

local function show_finding(row, tree, add)
  add("TCPWITNESS_RULE", f.finding)
  add("TCPWITNESS_CONFIDENCE", f.confidence)
  each_number(text_of(row, "TCPWITNESS_EVIDENCE"), most_evidence, function(event)
    generated(tree, f.evidence_event, uint64(event))
  end)
  local seen = {}
  each_number(text_of(row, "TCPWITNESS_EVIDENCE_SHOWN") or text_of(row, "TCPWITNESS_EVIDENCE"), most_evidence, function(event)
    local at = frame_of(event)
    if at and not seen[at] then generated(tree, f.evidence, at) end
    if at then seen[at] = true end
  end)
  local rule, confidence = text_of(row, "TCPWITNESS_RULE"), text_of(row, "TCPWITNESS_CONFIDENCE")
  local level = x[confidence] or x.inconclusive
  if confidence ~= "certain" and confidence ~= "likely" then level = x.inconclusive end
  if rule == "time-wait" then level = x.ordinary end
  tree:add_proto_expert_info(level, clean(text_of(row, "MESSAGE")))
end

local function show_cause(row, tree, add, cause)
  add("TCPWITNESS_CAUSE", f.cause_kind)
  add("TCPWITNESS_CAUSE_WHAT", f.cause_what)
  local event = number(text_of(row, "TCPWITNESS_CAUSE_EVENT"))
  if event then generated(tree, f.cause_event, uint64(event)) end
  if cause then generated(tree, f.cause, cause) end
  local delay = number(text_of(row, "TCPWITNESS_CAUSE_DELAY_NS"), 9e14)
  if delay then
    generated(tree, f.cause_delay, NSTime.new(math.floor(delay / 1000000000), math.floor(delay % 1000000000)))
  end
end

local function info_of(row, cause)
  local text = clean(text_of(row, "MESSAGE"))
  local what = text_of(row, "TCPWITNESS_CAUSE_WHAT")
  if what then
    text = text .. " by " .. clean(what)
    if cause then text = text .. " (frame " .. string.format("%d", cause) .. ")" end
  end
  return text
end

local function show_row(row, tvb, pinfo, tree)
  local frame = pinfo.number
  if is_new(frame) then learn(row, frame) end
  local cause = link(row, frame)
  pinfo.cols.protocol = "tcpwitness"
  pinfo.cols.info = info_of(row, cause)

  local top = tree:add(proto, tvb())
  local function add(name, field, value)
    local part = row[name]
    if not part then return nil end
    if value == nil then value = clean(part.text) end
    return top:add(field, tvb(part.at, part.len), value)
  end
  local function add_number(name, field, wide)
    local value = number(text_of(row, name), not wide and 0xffffffff or nil)
    if value then add(name, field, wide and uint64(value) or value) end
  end
  add("TCPWITNESS_TYPE", f.type)
  add("MESSAGE", f.text)
  add_number("TCPWITNESS_EVENT", f.event, true)
  add("TCPWITNESS_FROM", f.from)
  add("TCPWITNESS_TO", f.state)
  if row.TCPWITNESS_INFERRED then add("TCPWITNESS_INFERRED", f.inferred, true) end
  show_cause(row, top, add, cause)
  if row.TCPWITNESS_RULE then show_finding(row, top, add) end
  add("TCPWITNESS_OUTCOME", f.outcome)
  add("TCPWITNESS_LOCAL", f.ends_local)
  add("TCPWITNESS_REMOTE", f.ends_remote)
  add("TCPWITNESS_INTERFACE", f.interface)
  add("TCPWITNESS_DIRECTION", f.direction)
  local same = frame_of(number(text_of(row, "TCPWITNESS_COPY_OF")))
  if same then generated(top, f.copy_of, same) end
  local acts = row._COMM ~= nil
  add("_COMM", f.process)
  add_number("_PID", f.pid)
  local conn = number(text_of(row, "TCPWITNESS_CONN"), 0xffffffff)
  if conn then
    add("TCPWITNESS_CONN", f.conn, conn)
  else
    conn = find_conn(key_of(text_of(row, "TCPWITNESS_LOCAL") or "", text_of(row, "TCPWITNESS_REMOTE") or ""), frame)
    if conn then generated(top, f.conn, conn) end
  end
  if conn and not acts and owners[conn] then
    generated(top, f.process, owners[conn].process)
    generated(top, f.pid, owners[conn].pid)
  end
  add_links(top, frame)
  local kind = text_of(row, "TCPWITNESS_TYPE")
  if kind == "gap" or kind == "hole" then
    add_number("TCPWITNESS_LOST", f.lost, true)
    top:add_proto_expert_info(x.lost, clean(text_of(row, "MESSAGE")))
  end
end

local function endpoint(address, port)
  local text = tostring(address)
  if text:find(":", 1, true) then text = "[" .. text .. "]" end
  return text .. ":" .. string.format("%d", port)
end

local tcp_ports = 2 -- port_type of TCP

local function show_packet(pinfo, tree)
  local frame = pinfo.number
  local field = packet_id()
  local event = field and number(tostring(field.value)) or nil
  if not event then return end
  if is_new(frame) then note_frame(event, frame) end
  if rows == 0 then return end -- no recording, or nothing is known yet
  local top = tree:add(proto)
  generated(top, f.event, uint64(event))
  if pinfo.port_type == tcp_ports then
    local one, other = endpoint(pinfo.src, pinfo.src_port), endpoint(pinfo.dst, pinfo.dst_port)
    -- Over loopback both ends are of this machine.
    local sender, receiver = find_conn(key_of(one, other), frame), find_conn(key_of(other, one), frame)
    if sender then add_owner(top, sender) end
    if receiver and receiver ~= sender then add_owner(top, receiver) end
  end
  add_links(top, frame)
end

function proto.dissector(tvb, pinfo, tree)
  if journal() then
    local row = read_row(tvb)
    if is_ours(row) then show_row(row, tvb, pinfo, tree) end
  else
    show_packet(pinfo, tree)
  end
end

register_postdissector(proto)

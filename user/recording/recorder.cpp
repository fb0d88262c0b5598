// SPDX-License-Identifier: Apache-2.0
#include "recording/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "recording/file_names.hpp"
#include "recording/words.hpp"

namespace tcpwitness {
namespace {

constexpr TimeNs second = 1'000'000'000;
constexpr TimeNs comment_hold = second;                       // findings come up to so long after their packet
constexpr TimeNs after_finding = 5 * second;                  // flight: so much more is written, SECONDS at most
constexpr std::size_t hold_bytes = std::size_t{16} << 20U;    // of memory for that second
constexpr std::size_t write_bytes = std::size_t{256} << 10U;  // at once, or:
constexpr TimeNs write_every = second / 4;
constexpr std::size_t vlan_at = 12;              // bytes of addresses before a VLAN tag
constexpr TimeNs in_flight = 10 * second;        // records of an interface come so long after it is gone
constexpr std::size_t most_interfaces = 65'000;  // in a file: more than 65,536 are not read

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

void append_interface_mark(pcapng::Blocks& blocks, std::uint32_t index, const std::string& name) {
  pcapng::append_block(blocks, mark_block, as_bytes(mark_body(InterfaceMark{.index = index, .name = name})));
}

std::string ids_of(const std::vector<EventId>& ids) { return fmt::format("{}", fmt::join(ids, ",")); }

// Priorities of syslog(3).
constexpr std::string_view log_info = "6";
constexpr std::string_view log_notice = "5";
constexpr std::string_view log_warning = "4";

}  // namespace

Recorder::Recorder(RecorderSettings settings, StartMark start, const Names& names, FileWriter::Notice notice)
    : settings_(std::move(settings)), start_(std::move(start)), names_(names), now_(start_.started_ns) {
  start_.part = 1;
  start_.flight = settings_.flight.has_value();
  file_since_ = start_.ready.ts_ns;
  writer_ = std::make_unique<FileWriter>(
      FileWriter::Settings{.keep = settings_.keep, .pattern = settings_.path, .limits = settings_.limits}, path_of(1),
      prologue(), std::move(notice));
}

// ---- What comes in ----

// Each file begins with those that exist, and with those whose records can still come into it.
void Recorder::interfaces(const std::map<std::uint32_t, std::string>& there) {
  std::erase_if(interfaces_, [&](const auto& one) {
    if (there.contains(one.first)) return false;
    gone_.push_back({.at = now_, .index = one.first, .name = one.second});
    return true;
  });
  forget_gone();
  for (const auto& [index, name] : there) {
    std::string& known = interfaces_[index];
    if (known == name) continue;
    known = name;
    block_.clear();
    append_interface_mark(block_, index, name);
    put(block_);
  }
}

void Recorder::forget_gone() {
  const TimeNs held = std::max<TimeNs>(comment_hold, settings_.flight ? settings_.flight->count() : 0);
  while (!gone_.empty() && now_ - gone_.front().at > in_flight + held) gone_.pop_front();
}

void Recorder::clock(const ClockMark& step) {
  clock_ = step;
  mark(step);
}

void Recorder::record(std::span<const std::byte> bytes, std::span<const Event> events,
                      std::span<const Report> reports) {
  if (events.empty()) return;  // malformed: counted by the decoder
  write_pending_tick();
  const Event& event = events.back();
  now_ = std::max(now_, event.ts_ns);
  last_id_ = event.id;
  if (const auto* segment = std::get_if<Segment>(&event.body);
      segment != nullptr && bytes.size() > sizeof(tw_segment)) {
    const auto frame = frame_bytes(bytes);
    if (!frame) return;  // the decoder would not have taken it
    if (const auto as = copies_.first(*segment, *frame, event))
      return copy(bytes.first(sizeof(tw_segment)), event, *as);
    return packet(bytes, event, *frame);
  }
  const auto is_of_it = [&](const Report& report) {
    const auto* shown = std::get_if<Entry>(&report);
    const auto* state = shown != nullptr ? std::get_if<StateEntry>(&shown->body) : nullptr;
    return state != nullptr && !state->inferred && shown->id == event.id;
  };
  const auto state = std::ranges::find_if(reports, is_of_it);
  entry(event, bytes, state != reports.end() ? &std::get<Entry>(*state) : nullptr);
}

// A tick at which nothing was reported and no wait was over changes nothing.
void Recorder::advanced(TimeNs now, bool counts) {
  now_ = std::max(now_, now);
  pending_tick_ = now;
  // With a filter, what is not reported can expire too.
  if (counts || start_.pid != 0 || !start_.comm.empty()) write_pending_tick();
}

void Recorder::write_pending_tick() {
  if (!pending_tick_) return;
  mark(TickMark{.now = *std::exchange(pending_tick_, std::nullopt)});
}

void Recorder::accounted(TimeNs now, std::uint32_t cpu, std::uint64_t lost) {
  if (lost == 0) return;
  write_pending_tick();
  mark(AccountMark{.now = now, .cpu = cpu, .lost = lost});
}

void Recorder::skipped(std::uint64_t total, TimeNs from, TimeNs now) {
  write_pending_tick();
  mark(AccountMark{.now = now, .cpu = no_cpu, .lost = total, .from = from});
}

void Recorder::untraced(TimeNs from, TimeNs now) {
  write_pending_tick();
  mark(UntracedMark{.from = from, .now = now});
}

void Recorder::listed(TimeNs begun) {
  write_pending_tick();
  mark(ListedMark{.begun = begun});
}

void Recorder::report(const Report& report) {
  if (const auto* found = std::get_if<FindingReport>(&report)) {
    finding(*found);
  } else if (const auto* shown = std::get_if<Entry>(&report)) {
    const auto* state = std::get_if<StateEntry>(&shown->body);
    if (state != nullptr && state->inferred) inferred(*shown);
  } else if (const auto* life = std::get_if<Life>(&report)) {
    begin_entry(life->ts_ns, log_info, "life", words_of(*life));
    entry_.text("TCPWITNESS_CONN", fmt::format("{}", life->conn));
    entry_.text("TCPWITNESS_OUTCOME", name(life->outcome));
    put_ends(life->flow);
    put_process(life->process);
    end_entry(0);
  } else if (const auto* gap = std::get_if<GapReport>(&report)) {
    begin_entry(gap->ts_ns, log_warning, "gap", words_of(*gap));
    entry_.text("TCPWITNESS_LOST", fmt::format("{}", gap->gap.lost));
    end_entry(0);
  }
}

void Recorder::finding(const FindingReport& report) {
  const Finding& finding = report.finding;
  begin_entry(report.ts_ns, log_notice, "finding", words_of(report));
  entry_.text("TCPWITNESS_CONN", fmt::format("{}", report.conn));
  entry_.text("TCPWITNESS_RULE", name(finding.rule));
  entry_.text("TCPWITNESS_CONFIDENCE", name(finding.confidence));
  entry_.text("TCPWITNESS_EVIDENCE", ids_of(finding.evidence));
  std::vector<EventId> evidence = finding.evidence;
  for (EventId& id : evidence) id = copies_.shown(id);
  if (evidence != finding.evidence) entry_.text("TCPWITNESS_EVIDENCE_SHOWN", ids_of(evidence));
  put_ends(report.flow);
  end_entry(0);
  // To the newest packet of its evidence that is still here.
  std::ranges::sort(evidence, std::greater<>());
  for (const EventId id : evidence) {
    if (window_.comment(id, words_of(finding))) break;
  }
  if (!settings_.flight || !triggers(finding)) return;
  ++fired_;
  write_until_ = std::max(write_until_, now_ + std::min<TimeNs>(after_finding, settings_.flight->count()));
}

// time-wait is reported of every connection that this side closed first: written by default, it would be a recording of
// everything.
bool Recorder::triggers(const Finding& finding) const {
  if (settings_.on.empty()) return finding.rule != Rule::time_wait;
  return std::ranges::find(settings_.on, finding.rule) != settings_.on.end();
}

// ---- Blocks ----

pcapng::Blocks Recorder::prologue() {
  pcapng::Blocks blocks;
  pcapng::append_section(blocks, "tcpwitness " + start_.ready.version, "Linux " + start_.ready.kernel);
  pcapng::append_block(blocks, mark_block, as_bytes(mark_body(start_)));
  forget_gone();
  for (const GoneInterface& one : gone_) append_interface_mark(blocks, one.index, one.name);
  for (const auto& [index, name] : interfaces_) append_interface_mark(blocks, index, name);
  if (clock_) pcapng::append_block(blocks, mark_block, as_bytes(mark_body(*clock_)));
  file_interfaces_.clear();
  file_bytes_ = blocks.size();
  file_has_events_ = false;
  return blocks;
}

// Of the packet's interface; a new one is described, before the packet.
std::uint32_t Recorder::number_in_file(std::uint32_t ifindex, std::uint16_t link_type) {
  const auto key_of = [&](std::uint32_t index) { return std::uint64_t{index} << 16U | link_type; };
  const bool full = file_interfaces_.size() >= most_interfaces && !file_interfaces_.contains(key_of(ifindex));
  const auto next = static_cast<std::uint32_t>(file_interfaces_.size());
  const auto [at, is_new] = file_interfaces_.try_emplace(key_of(full ? 0 : ifindex), next);
  if (is_new) pcapng::append_interface(out_, link_type, start_.snaplen, full ? "(others)" : names_.interface(ifindex));
  return at->second;
}

void Recorder::packet(std::span<const std::byte> record, const Event& event, const FrameBytes& frame) {
  const auto& segment = std::get<Segment>(event.body);
  pcapng::Packet packet{.interface = 0,  // see put_packet
                        .ts_ns = names_.wall.of(event.ts_ns),
                        .wire_len = frame.head.wire_len,
                        .bytes = frame.bytes,
                        .outgoing = segment.outgoing(),
                        .id = event.id,
                        .local_option = record_option,
                        .local = record.first(sizeof(tw_segment))};
  if (frame.head.vlan_proto != 0 && frame.bytes.size() >= vlan_at && frame.head.link_type == TW_LINK_ETHERNET) {
    const std::array<std::uint8_t, 4> tag{
        static_cast<std::uint8_t>(frame.head.vlan_proto >> 8U), static_cast<std::uint8_t>(frame.head.vlan_proto),
        static_cast<std::uint8_t>(frame.head.vlan_tci >> 8U), static_cast<std::uint8_t>(frame.head.vlan_tci)};
    const auto tag_bytes = std::as_bytes(std::span(tag));
    tagged_.assign(frame.bytes.begin(), frame.bytes.end());
    tagged_.insert(tagged_.begin() + vlan_at, tag_bytes.begin(), tag_bytes.end());
    tagged_.resize(std::min<std::size_t>(tagged_.size(), start_.snaplen));
    packet.bytes = tagged_;
    packet.wire_len += static_cast<std::uint32_t>(tag.size());
  }
  block_.clear();
  pcapng::append_packet(block_, packet);
  push({.id = event.id, .packet = true, .link_type = frame.head.link_type, .ifindex = segment.ifindex});
}

// At the same interface (loopback) nobody would see more in it; at another one it is a row.
void Recorder::copy(std::span<const std::byte> record, const Event& event, const Copies::Packet& as) {
  const auto& segment = std::get<Segment>(event.body);
  if (segment.ifindex == as.ifindex) {
    std::array<std::byte, sizeof(EventId) + sizeof(tw_segment)> body;
    std::memcpy(body.data(), &event.id, sizeof event.id);
    std::memcpy(body.data() + sizeof event.id, record.data(), sizeof(tw_segment));
    block_.clear();
    pcapng::append_block(block_, copy_block, body);
    return push({.id = event.id});
  }
  const EventWords words = words_of(event, names_);
  begin_entry(event.ts_ns, log_info, words.kind, words.message);
  entry_.text("TCPWITNESS_INTERFACE", names_.interface(segment.ifindex));
  entry_.text("TCPWITNESS_DIRECTION", segment.outgoing() ? "out" : "in");
  entry_.text("TCPWITNESS_COPY_OF", fmt::format("{}", as.id));
  put_ends(words.flow);
  entry_.text("TCPWITNESS_EVENT", fmt::format("{}", event.id));
  entry_.binary("TCPWITNESS_RECORD", record);
  end_entry(event.id);
}

void Recorder::begin_entry(TimeNs ts_ns, std::string_view priority, std::string_view kind, const std::string& message) {
  entry_.clear();
  entry_.text("__REALTIME_TIMESTAMP", fmt::format("{}", names_.wall.of(ts_ns) / 1000));
  entry_.text("PRIORITY", priority);
  entry_.text("SYSLOG_IDENTIFIER", "tcpwitness");
  entry_.text("MESSAGE", message);
  entry_.text("TCPWITNESS_TYPE", kind);
}

void Recorder::end_entry(EventId id) {
  block_.clear();
  pcapng::append_block(block_, pcapng::journal_block, entry_.bytes());
  push({.id = id});
}

void Recorder::put_ends(const Flow& flow) {
  entry_.text("TCPWITNESS_LOCAL", to_string(flow.local));
  entry_.text("TCPWITNESS_REMOTE", to_string(flow.remote));
}

void Recorder::put_process(const Process& process) {
  if (process.pid == 0) return;
  entry_.text("_PID", fmt::format("{}", process.pid));
  entry_.text("_COMM", process.comm);
}

void Recorder::put_transition(const Entry& entry, const StateEntry& state) {
  entry_.text("TCPWITNESS_CONN", fmt::format("{}", entry.conn));
  entry_.text("TCPWITNESS_FROM", name(state.from));
  entry_.text("TCPWITNESS_TO", name(state.to));
  const Cause& cause = state.cause;
  if (cause.kind == Cause::Kind::unknown) return;
  entry_.text("TCPWITNESS_CAUSE", name(cause.kind));
  entry_.text("TCPWITNESS_CAUSE_WHAT", cause.what);
  if (cause.id == 0) return;
  entry_.text("TCPWITNESS_CAUSE_EVENT", fmt::format("{}", cause.id));
  const EventId shown = copies_.shown(cause.id);
  if (shown != cause.id) entry_.text("TCPWITNESS_CAUSE_SHOWN", fmt::format("{}", shown));
  entry_.text("TCPWITNESS_CAUSE_DELAY_NS", fmt::format("{}", cause.delay_ns));
}

void Recorder::inferred(const Entry& shown) {
  const auto& state = std::get<StateEntry>(shown.body);
  begin_entry(shown.ts_ns, log_info, "state", words_of(shown.flow, state));
  put_process(state.process);
  put_transition(shown, state);
  entry_.text("TCPWITNESS_INFERRED", "1");
  put_ends(shown.flow);
  end_entry(0);
}

void Recorder::entry(const Event& event, std::span<const std::byte> record, const Entry* state) {
  const EventWords words = words_of(event, names_);
  begin_entry(event.ts_ns, log_info, words.kind, words.message);
  put_process(words.process);
  if (state != nullptr) put_transition(*state, std::get<StateEntry>(state->body));
  if (const auto* nat = std::get_if<Translation>(&event.body)) {
    const Flow wire = to_flow(nat->wire);
    entry_.text("TCPWITNESS_WIRE_LOCAL", to_string(wire.local));
    entry_.text("TCPWITNESS_WIRE_REMOTE", to_string(wire.remote));
  }
  put_ends(words.flow);
  entry_.text("TCPWITNESS_EVENT", fmt::format("{}", event.id));
  entry_.binary("TCPWITNESS_RECORD", record);
  end_entry(event.id);
}

void Recorder::mark(const RecordingMark& mark) {
  block_.clear();
  pcapng::append_block(block_, mark_block, as_bytes(mark_body(mark)));
  push({});
}

void Recorder::push(const Window::Entry& entry) {
  Window::Entry made = entry;
  made.at = now_;
  made.block = block_;
  window_.push(made);
  if (window_.bytes() > hold_bytes) release(false);
}

// ---- The way out ----

void Recorder::release(bool all) {
  const bool flight = settings_.flight.has_value();
  const std::size_t room = flight ? settings_.flight_bytes : hold_bytes;
  while (!window_.empty()) {
    const Window::Entry& front = window_.front();
    const TimeNs age = now_ - front.at;
    const bool crowded = window_.bytes() > room;
    if (!flight || front.at <= write_until_) {
      if (!all && age < comment_hold && !crowded) return;
      say_left_out(front.at);
      written_at_ = front.at;
      if (front.id != 0) {
        written_id_ = passed_id_ = front.id;
        file_has_events_ = true;
      }
      if (front.packet) {
        put_packet(front, window_.take_comment());
      } else {
        put(front.block);
      }
    } else {
      const bool old = age > settings_.flight->count();
      if (!all && !old && !crowded) return;
      if (front.id != 0) {
        dropped_events_ +=
            front.id - std::exchange(passed_id_, front.id);  // with the gaps before it, which are no blocks
        if (!old && !all) ++dropped_early_;
      }
    }
    window_.pop();
  }
}

void Recorder::say_left_out(TimeNs at) {
  if (dropped_events_ == 0) return;
  const HoleMark hole{.blocks = std::exchange(dropped_events_, 0), .why = std::string(left_out_why)};
  pcapng::Blocks blocks;
  pcapng::append_block(blocks, mark_block, as_bytes(mark_body(hole)));
  JournalEntry entry;
  entry.text("__REALTIME_TIMESTAMP", fmt::format("{}", names_.wall.of(at) / 1000));
  entry.text("PRIORITY", log_info);
  entry.text("SYSLOG_IDENTIFIER", "tcpwitness");
  entry.text("MESSAGE", fmt::format("{} events before this {}", hole.blocks, hole.why));
  entry.text("TCPWITNESS_TYPE", "hole");
  pcapng::append_block(blocks, pcapng::journal_block, entry.bytes());
  put(blocks);
}

void Recorder::put(std::span<const std::byte> block) {
  out_.insert(out_.end(), block.begin(), block.end());
  write_if_due();
}

// Only now it is known in which file it stands: in each, interfaces are numbered anew.
void Recorder::put_packet(const Window::Entry& entry, const std::string& comment) {
  const std::uint32_t interface = number_in_file(entry.ifindex, entry.link_type);
  const std::size_t at = out_.size();
  if (comment.empty()) {
    out_.insert(out_.end(), entry.block.begin(), entry.block.end());
  } else {
    pcapng::append_commented(out_, entry.block, comment);
  }
  pcapng::set_interface(std::span(out_).subspan(at), interface);
  write_if_due();
}

void Recorder::write_if_due() {
  if (out_.size() >= write_bytes) write_out();
  if (settings_.rotate_bytes != 0 && file_bytes_ + out_.size() >= settings_.rotate_bytes) rotate(now_);
}

void Recorder::write_out() {
  if (out_.empty()) {
    writer_->write({});
    return;
  }
  file_bytes_ += out_.size();
  writer_->write(std::exchange(out_, {}));
  out_.reserve(write_bytes + write_bytes / 8);
  written_out_ = now_;
}

void Recorder::flush(TimeNs now) {
  now_ = std::max(now_, now);
  release(false);
  if (now_ - written_out_ >= write_every) write_out();
  if (settings_.rotate_every.count() != 0 && now_ - file_since_ >= settings_.rotate_every.count()) rotate_by_time();
}

// A flight recorder's file that holds nothing yet serves on: empty ones would have --keep remove those that do.
void Recorder::rotate_by_time() {
  if (settings_.flight && !file_has_events_) {
    file_since_ = now_;
  } else {
    rotate(now_);
  }
}

void Recorder::next_file() {
  if (settings_.path != "-") rotate(now_);
}

// "trace.pcapng", "trace.00002.pcapng", ... A name with the time in it is numbered only where the file is there
// already.
std::string Recorder::path_of(std::uint32_t part) {
  if (!has_time(settings_.path)) {
    file_path_ = part == 1 ? settings_.path : with_number(settings_.path, part);
    return file_path_;
  }
  // Of earlier runs; this one's last may not be there yet.
  const auto exists = [](const std::string& path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
  };
  std::string name = with_time(settings_.path, names_.wall.of(now_));
  file_number_ = name == file_name_ ? file_number_ + 1 : 1;
  file_name_ = name;
  while (exists(file_path_ = file_number_ == 1 ? name : with_number(name, file_number_))) ++file_number_;
  return file_path_;
}

void Recorder::rotate(TimeNs now) {
  // What waits in the window belongs to the next file, and so does its time.
  ++start_.part;
  end_file(EndMark{.now = window_.empty() ? now : std::min(now, written_at_),
                   .last_id = written_id_,
                   .continued = path_of(start_.part)});
  file_since_ = now;
  writer_->next_file(file_path_, prologue());
}

void Recorder::end_file(const EndMark& end) {
  const std::string body = mark_body(end);
  pcapng::append_block(out_, mark_block, as_bytes(body));
  write_out();
}

RecordingTotals Recorder::finish(EndMark end) {
  write_pending_tick();
  release(true);
  say_left_out(end.now);
  end.last_id = last_id_;
  end_file(end);
  RecordingTotals totals = writer_->finish();
  totals.dropped_early = dropped_early_;
  if (settings_.flight) totals.fired = fired_;
  return totals;
}

}  // namespace tcpwitness

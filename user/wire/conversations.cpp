// SPDX-License-Identifier: Apache-2.0
// conversations.cpp: a frame finds its conversation, is analysed and counted in it, and becomes an event
// where it matters.
//
// The bits of event_flags mean what bpf/flow.h computes for a live interface, with the analysis in place of its few
// counters.
#include "wire/conversations.hpp"

#include <algorithm>

#include "wire/conversation.hpp"
#include "wire/duplicates.hpp"
#include "wire/passed_time.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t any_retransmission = analysis_flag::retransmission | analysis_flag::fast_retransmission |
                                             analysis_flag::spurious_retransmission | analysis_flag::out_of_order;

constexpr std::uint8_t stage_syn = 1;
constexpr std::uint8_t stage_syn_ack = 2;
constexpr std::uint8_t stage_ack = 4;
constexpr std::uint8_t stage_data = 8;
constexpr std::uint8_t stage_fin = 16;
constexpr std::uint8_t stage_rst = 32;

// A SYN is given up after 127 s (tcp_syn_retries 6): a conversation that never got further is over.
constexpr std::int64_t given_up_ns = 130'000'000'000;

bool has(const TcpFrame& frame, std::uint8_t flag) { return (frame.flags & flag) != 0; }

SeenSegment seen(const TcpFrame& f) {
  return {f.ts_ns, f.seq, f.ack, f.len, f.window, f.flags, f.options, f.wscale, f.mptcp};
}

std::uint8_t stage_of(const TcpFrame& f) {
  std::uint8_t stage = 0;
  if (has(f, tcp_flag::syn)) {
    stage |= has(f, tcp_flag::ack) ? stage_syn_ack : stage_syn;
  } else if (has(f, tcp_flag::ack)) {
    stage |= stage_ack;
  }
  if (f.len != 0) stage |= stage_data;
  if (has(f, tcp_flag::fin)) stage |= stage_fin;
  if (has(f, tcp_flag::rst)) stage |= stage_rst;
  return stage;
}

// Of link-local addresses. interface: the first one that had the packet, as on another one it is no other link's.
std::uint32_t scope_of(const TcpFrame& f, std::uint32_t interface) {
  return f.source.address.is_link_local() ? interface + 1 : 0;
}

// Not a number that can come behind the one before it, or belong to what was sent up to it. A capture can have another
// length of a segment than was sent: a little further on it may be.
bool elsewhere(std::uint32_t number, std::uint32_t end) {
  constexpr std::uint32_t slack = 1U << 20U;
  return number - (end - largest_window) > largest_window + slack;
}

// It has ended, and this is no straggler: another connection, of which the SYN was not captured, or has the same
// number. (A copy of the SYN that the network has kept comes sooner, and so does the SYN-ACK of a second host that had
// the SYN: unless a SYN came behind the end.) What takes no number begins none: a proxy that has its own numbers to
// each side shows both.
bool begins_another(const Conversation& c, const TcpFrame& f) {
  constexpr std::int64_t kept_ns = 1'000'000'000;
  constexpr std::int64_t repeated_ns = 64'000'000'000;
  const unsigned from = c.local == f.source ? 0 : 1;
  const HalfConnection& me = c.half(from);
  const HalfConnection& peer = c.half(from ^ 1U);
  if (!c.ended() || f.bad_header || has(f, tcp_flag::rst)) return false;
  const bool ack = has(f, tcp_flag::ack);
  const bool again = f.seq == me.isn();
  const std::int64_t later_ns = f.ts_ns - c.last_ts_ns;
  if (has(f, tcp_flag::syn)) {
    if (again) return !ack && later_ns >= kept_ns;
    const bool answers = ack && peer.has_isn() && f.ack == peer.isn() + 1;
    return me.has_isn() && (c.asked_again || !(answers && later_ns < repeated_ns));
  }
  if (!c.closed()) return false;
  if (seq_length(f.len, f.flags) == 0) return false;
  return elsewhere(f.seq, me.fin_end()) || (ack && elsewhere(f.ack, peer.fin_end()));
}

// Of a RST: the number that its receiver waits for, as far as the wire shows it. Linux takes no other one (RFC 5961, 3;
// tcp_reset_check() takes one that does not count the FIN before it).
bool has_awaited_number(const HalfConnection& me, const TcpFrame& f) {
  if (!me.acked()) return true;  // it answers a SYN
  return f.seq == me.snd_una() || f.seq == me.snd_nxt() || (me.fin() && f.seq + 1 == me.fin_end());
}

bool is_over(const Conversation& c) { return c.listed == Listed::over || c.listed == Listed::reported || c.reset; }

// What the segment has that a life is made of, by the rules of bpf/flow.h. taken: what taking it did.
std::uint16_t turning_points(Conversation& c, unsigned from, const TcpFrame& f, std::uint16_t taken) {
  if (has(f, tcp_flag::rst)) return taken;
  if (has(f, tcp_flag::syn)) {
    if (has(f, tcp_flag::ack)) c.answered_by = static_cast<std::uint8_t>(from);
    return taken;
  }
  // Where no segment of the SYN's sender was seen, the other side's next segment shows that its ACK has come.
  if (!c.handshake_done && has(f, tcp_flag::ack) && !c.midstream()) {
    c.handshake_done = true;
    const bool answerer = from == c.answered_by;
    taken |= bits(answerer ? SegmentEvent::unknown_flow : SegmentEvent::handshake_ack);
  }
  return taken;
}

// How often in a row this side has sent the same number again while the other side sent nothing; of a RST, how often
// the other side has.
std::uint32_t unanswered_copies(Stream& me, Stream& peer, const TcpFrame& f, std::uint32_t found) {
  if (has(f, tcp_flag::rst)) return peer.copies;
  peer.copies = 0;
  if ((found & analysis_flag::retransmission) == 0) return 0;
  if (me.copied != f.seq) me.copies = 0;
  me.copied = f.seq;
  return ++me.copies;
}

// What the analysis found; a segment of which nothing is new was sent again, however soon.
std::uint32_t faults_of(const Analysis& analysis) {
  if (!analysis.repeated) return analysis.flags;
  return (analysis.flags & ~analysis_flag::out_of_order) | analysis_flag::retransmission;
}

// What was found, in the same bits.
std::uint16_t fault_flags(Stream& me, Stream& peer, const TcpFrame& f, std::uint32_t found) {
  namespace is = analysis_flag;
  std::uint16_t event_flags = 0;
  if ((found & is::retransmission) != 0) event_flags |= bits(SegmentEvent::retransmission);
  if ((found & (is::lost_segment | is::out_of_order)) != 0) event_flags |= bits(SegmentEvent::out_of_order);
  const bool probe = (found & (is::keep_alive | is::zero_window_probe)) != 0;
  if (probe) {
    event_flags |= bits((found & is::keep_alive) != 0 ? SegmentEvent::keepalive : SegmentEvent::window_probe);
    me.probe_pending = true;
  } else if (peer.probe_pending && has(f, tcp_flag::ack)) {
    peer.probe_pending = false;
    event_flags |= bits(SegmentEvent::keepalive_ack);
  }
  return event_flags;
}

}  // namespace

struct Conversations::Impl {
  explicit Impl(ConversationSettings with) : settings(with) {
    if (with.expiry) timers.emplace(*with.expiry);
  }

  void observe(const TcpFrame& f, std::vector<Event>& out);
  void observe_icmp(const TcpFrame& quoted, std::vector<Event>& out);
  std::uint32_t locate(const TcpFrame& f, std::optional<std::uint32_t> before, std::vector<Event>& out);
  std::uint32_t older_or(std::uint32_t slot, const TcpFrame& f, std::vector<Event>& out);
  std::uint16_t refused(Conversation& c, unsigned from, const TcpFrame& f, const Acceptance::Answer& answer);
  std::uint16_t taken(Conversation& c, unsigned from, const TcpFrame& f, const Acceptance::Answer& answer);
  void relist(std::uint32_t slot, Conversation& c, const TcpFrame& f);
  std::uint32_t silent_one();
  bool give_back(std::vector<Event>& out);
  void report(std::uint32_t slot, bool cut, std::vector<Event>& out);
  void end(std::uint32_t slot, bool cut, std::vector<Event>& out);
  void emit(const Conversation& c, unsigned from, const TcpFrame& f, std::uint16_t event_flags,
            std::vector<Event>& out);

  ConversationSettings settings;
  ConversationTable table;
  std::optional<ExpiryTimers> timers;
  Duplicates duplicates;
  Analysis analysis;
  std::uint64_t stream = 0;
  std::uint64_t streams = 0;
  bool finishing = false;
  bool acks_late_fin = false;       // the newest segment acknowledges more than was seen: a FIN can follow it
  std::vector<std::uint32_t> left;  // what finish() has still to end, the first one last
  PassedTime clock;
  TimeNs now = 0;  // the latest timestamp: Zeek's timers go by it

  [[nodiscard]] TimeNs silent_ns(const Conversation& c) const { return clock.passed_ns() - c.last_passed_ns; }
};

Conversations::Conversations(ConversationSettings settings) : impl_(std::make_unique<Impl>(settings)) {}
Conversations::~Conversations() = default;
void Conversations::observe(const TcpFrame& frame, std::vector<Event>& out) { impl_->observe(frame, out); }
void Conversations::observe_icmp(const TcpFrame& quoted, std::vector<Event>& out) { impl_->observe_icmp(quoted, out); }
const Analysis& Conversations::analysis() const { return impl_->analysis; }
std::uint64_t Conversations::stream() const { return impl_->stream; }

// In the order of their first frames, whatever slots they have.
bool Conversations::finish(std::vector<Event>& out, std::size_t at_most) {
  std::vector<std::uint32_t>& left = impl_->left;
  if (!impl_->finishing) {
    impl_->finishing = true;
    for (std::uint32_t slot = 0; slot < impl_->table.slots(); ++slot) {
      if (impl_->table.at(slot).live) left.push_back(slot);
    }
    std::ranges::sort(left, std::ranges::greater{}, [&](std::uint32_t slot) { return impl_->table.at(slot).stream; });
  }
  for (; !left.empty() && out.size() < at_most; left.pop_back()) {
    const std::uint32_t slot = left.back();
    if (!impl_->table.at(slot).live) continue;
    const Conversation& c = impl_->table.at(slot);
    const bool passed =
        c.younger != ConversationTable::none && !c.goes_on;  // a SYN came, and nothing of this one since
    // What had been given up before is not cut off by the end of the file.
    const bool late = impl_->clock.at_ns() - c.last_ts_ns > given_up_ns;
    const bool silent = c.given_up || (c.listed == Listed::half_open && late);
    const bool timed_out = impl_->timers && impl_->timers->over(slot, c, impl_->now);
    impl_->end(slot, !passed && !silent && !timed_out, out);
  }
  return !left.empty();
}

// One that quotes a segment of no conversation that is known may be about what came before the capture.
void Conversations::Impl::observe_icmp(const TcpFrame& quoted, std::vector<Event>& out) {
  const std::uint32_t scope = scope_of(quoted, quoted.interface);
  const std::uint32_t hash = ConversationTable::hash(quoted.source, quoted.destination, scope);
  const std::uint32_t slot = table.find(hash, quoted.source, quoted.destination, scope);
  if (slot == ConversationTable::none || table.at(slot).listed == Listed::reported) return;
  Event& e = out.emplace_back();
  e.id = quoted.number;
  e.ts_ns = quoted.ts_ns;
  IcmpSeen& seen = e.body.emplace<IcmpSeen>();
  seen.header.ts_ns = static_cast<std::uint64_t>(quoted.ts_ns);
  seen.header.cookie = slot + 1;
  seen.tuple = to_pair({quoted.source, quoted.destination, scope});
  seen.seq = quoted.seq;
  seen.mtu = quoted.icmp.mtu;
  std::ranges::copy(quoted.icmp.sender.bytes, std::begin(seen.sender));
  seen.type = quoted.icmp.type;
  seen.code = quoted.icmp.code;
  seen.v6 = quoted.icmp.v6 ? 1 : 0;
}

// The frame's conversation; a SYN with another initial sequence number begins another one, and so does what comes
// after a timer, or behind the end without being a straggler. before: the interface where the packet was seen before.
std::uint32_t Conversations::Impl::locate(const TcpFrame& f, std::optional<std::uint32_t> before,
                                          std::vector<Event>& out) {
  const std::uint32_t scope = scope_of(f, before.value_or(f.interface));
  const std::uint32_t hash = ConversationTable::hash(f.source, f.destination, scope);
  std::uint32_t slot = table.find(hash, f.source, f.destination, scope);
  const bool syn = has(f, tcp_flag::syn) && !f.bad_header;
  const bool ack = has(f, tcp_flag::ack);
  bool reused = false;
  if (timers && slot != ConversationTable::none && timers->over(slot, table.at(slot), now)) [[unlikely]] {
    end(slot, false, out);
    slot = ConversationTable::none;
  }
  std::uint32_t older = ConversationTable::none;
  if (slot != ConversationTable::none) {
    const Conversation& c = table.at(slot);
    const HalfConnection& me = c.half(c.local == f.source ? 0 : 1);
    reused = syn && !ack && me.has_isn() && me.isn() != f.seq;
    reused = reused || (!before && begins_another(c, f));
    if (!reused) return c.older == ConversationTable::none ? slot : older_or(slot, f, out);
    // One that is open refuses the SYN (RFC 5961, 4), or has forgotten: what follows shows which.
    if (c.established && !is_over(c)) {
      older = slot;
      table.conceal(slot);
    } else {
      older = c.older;
      if (older != ConversationTable::none) table.at(older).younger = ConversationTable::none;
      table.at(slot).older = ConversationTable::none;
      end(slot, false, out);
    }
  }
  // The sender of the SYN is local, and so is whom the SYN-ACK goes to.
  const bool swap = syn && ack;
  const std::uint32_t made =
      swap ? table.create(hash, f.destination, f.source, scope) : table.create(hash, f.source, f.destination, scope);
  table.at(made).stream = streams++;
  if (older != ConversationTable::none) table.supersede(older, made);
  if (timers) timers->begin(made);
  if (reused) analysis.flags |= analysis_flag::reused_ports;
  return made;
}

// A conversation that has only a SYN yet, and before it one that was open: whose segment is it? What does not answer
// the SYN is the older one's. An answer ends that one.
std::uint32_t Conversations::Impl::older_or(std::uint32_t slot, const TcpFrame& f, std::vector<Event>& out) {
  const Conversation& c = table.at(slot);
  const bool asker = c.local == f.source;
  const std::uint32_t isn = c.half(0).isn();
  const std::uint32_t number = asker ? f.seq : f.ack;
  const bool numbered = asker || has(f, tcp_flag::ack);
  const auto most = static_cast<std::uint32_t>(c.side[0].bytes.range()) + 1;  // Fast Open: the SYN and its payload
  const bool fits = has(f, tcp_flag::syn) || (numbered && seq_before(isn, number) && number - isn <= most);
  if (!fits) {
    table.at(c.older).goes_on = true;
    return c.older;
  }
  if (!asker || !has(f, tcp_flag::syn)) end(c.older, false, out);
  return slot;
}

void Conversations::Impl::observe(const TcpFrame& f, std::vector<Event>& out) {
  analysis = {};
  clock.step_to(f.ts_ns);
  if (f.ts_ns > now) now = f.ts_ns;
  const std::optional<std::uint32_t> before = f.bad_header ? std::nullopt : duplicates.seen_before(f);
  const std::uint32_t slot = locate(f, before, out);
  Conversation& c = table.at(slot);
  stream = c.stream;
  c.last_ts_ns = f.ts_ns;
  c.last_passed_ns = clock.passed_ns();
  const unsigned from = c.local == f.source ? 0 : 1;
  Stream& me = c.side[from];
  std::uint16_t event_flags = 0;
  // The first segment of either side in mid-stream shows what state it is in.
  if (!me.seen && !has(f, tcp_flag::syn) && c.midstream()) event_flags |= bits(SegmentEvent::unknown_flow);
  me.seen = true;
  ++me.frames;
  me.frame_bytes += f.frame_len;
  // A straggler of one that is reported belongs to no connection any more.
  const std::uint32_t conversation = c.listed == Listed::reported ? 0 : slot + 1;
  analysis.conversation = conversation;
  if (f.bad_header) {
    analysis.frame = f.number;
    emit(c, from, f, static_cast<std::uint16_t>(event_flags | bits(SegmentEvent::bad_header)), out);
    return;
  }
  c.completeness |= stage_of(f);
  if (before) [[unlikely]] {
    analysis.frame = f.number;
    analysis.duplicate_frame = true;
    ++me.duplicates;
    me.duplicate_bytes += f.len;
    if (event_flags != 0 || settings.all_segments) emit(c, from, f, event_flags, out);
    return;
  }
  const Acceptance::Answer answer = c.acceptance.observe(seen(f), from);
  acks_late_fin = false;
  if (c.reset_refused && !answer.refused) [[unlikely]] {
    event_flags |= bits(SegmentEvent::unknown_flow);  // to be an event
  }
  c.reset_refused = answer.refused && has(f, tcp_flag::rst);
  event_flags |= answer.refused ? refused(c, from, f, answer) : taken(c, from, f, answer);
  analysis.frame = f.number;
  analysis.conversation = conversation;
  if (event_flags != 0 || settings.all_segments || acks_late_fin) emit(c, from, f, event_flags, out);
  if (c.listed != Listed::no || !c.established || event_flags != 0) {
    relist(slot, c, f);
    if (timers) timers->observe(slot, c, from, f);
  }
  give_back(out);
}

// It changes nothing, and its numbers are those of something else.
std::uint16_t Conversations::Impl::refused(Conversation& c, unsigned from, const TcpFrame& f,
                                           const Acceptance::Answer& answer) {
  Stream& me = c.side[from];
  analysis.refused = true;
  me.bytes.refused(f.len);
  if (has(f, tcp_flag::rst)) return bits(SegmentEvent::rst);
  if (!has(f, tcp_flag::syn)) return bits(SegmentEvent::unknown_flow);
  if (answer.renumbered) analysis.flags |= analysis_flag::reused_ports;
  return bits(SegmentEvent::syn);
}

std::uint16_t Conversations::Impl::taken(Conversation& c, unsigned from, const TcpFrame& f,
                                         const Acceptance::Answer& answer) {
  Stream& me = c.side[from];
  Stream& peer = c.side[from ^ 1U];
  if (answer.restarted) [[unlikely]] {
    peer.bytes.restart(answer.isn + 1);
    c.analysis.restart(from ^ 1U, answer.isn + 1);
  }
  if (answer.believed) [[unlikely]] {
    const SeenSegment& far = c.acceptance.far(answer.believed_side);
    c.side[answer.believed_side].bytes.refused_was_taken(far.seq, far.len, far.flags);
  }
  if (answer.withdrawn) [[unlikely]] {
    c.analysis.restart(from, f.seq);
  }
  if (answer.renumbered) analysis.flags |= analysis_flag::reused_ports;
  c.asked_again = has(f, tcp_flag::syn) && (c.asked_again || (!has(f, tcp_flag::ack) && c.ended()));
  const std::uint32_t reused = analysis.flags;
  analysis = c.analysis.observe(seen(f), from);
  if (answer.doubted) [[unlikely]] {
    analysis.refused = true;
    me.bytes.refused(f.len);
    return bits(SegmentEvent::unknown_flow);
  }
  // Where both connect at once the SYN-ACK has the number of the SYN before it, and is its first answer (RFC
  // 9293, 3.5). An end that is over sends its SYN no more.
  if (answer.crossed || c.asked_again) [[unlikely]] {
    analysis.flags &= ~any_retransmission;
  }
  analysis.repeated = (analysis.flags & analysis_flag::out_of_order) != 0 && me.bytes.has_all(f.seq, f.len);
  analysis.again_in_silence = unanswered_copies(me, peer, f, faults_of(analysis));
  analysis.flags |= reused;
  analysis.resumed = answer.resumed;
  analysis.restarted = answer.restarted;
  analysis.shows_window = answer.shows_window;
  analysis.denies_window = answer.denies_window;
  if (answer.believed) [[unlikely]] {
    const SeenSegment& far = c.acceptance.far(answer.believed_side);
    if (far.has(tcp_flag::fin)) {
      analysis.late_fin = answer.believed_side == from ? LateFin::of_sender : LateFin::of_receiver;
      analysis.late_fin_end = far.seq + seq_length(far.len, far.flags);
    }
  }
  const HalfConnection& other = c.half(from ^ 1U);
  if (has(f, tcp_flag::fin) && has(f, tcp_flag::ack)) [[unlikely]] {
    // The last number before it can be a FIN that was not captured: behind a FIN nothing is sent.
    const bool last_is_missing = f.ack == other.snd_nxt() && peer.bytes.in_hole(f.ack - 1);
    const bool beyond = !other.sent() || seq_before(other.snd_nxt(), f.ack);
    analysis.covers_unseen = beyond || (last_is_missing && !other.fin());
  }
  acks_late_fin = other.sent() && has(f, tcp_flag::ack) && seq_before(other.snd_nxt(), f.ack) &&
                  (f.ack - other.snd_nxt() == 1 || c.half(from).fin());
  me.bytes.sent(f.seq, f.len, f.flags);
  // A RST acknowledges whatever it answers: that shows no byte.
  if (has(f, tcp_flag::ack) && !has(f, tcp_flag::rst) && peer.seen) peer.bytes.acknowledged(f.ack);
  if ((analysis.flags & analysis_flag::retransmission) != 0) ++me.retransmits;
  if ((analysis.flags & analysis_flag::out_of_order) != 0) ++me.out_of_order;
  if (analysis.repeated) ++me.repeated;
  constexpr std::uint32_t probes = analysis_flag::keep_alive | analysis_flag::zero_window_probe;
  const bool again = (faults_of(analysis) & analysis_flag::retransmission) != 0;
  c.clock.observe(seen(f), from,
                  (analysis.flags & probes) != 0 ? PhaseClock::Kind::probe
                  : again                        ? PhaseClock::Kind::again
                                                 : PhaseClock::Kind::ordinary);
  std::uint16_t event_flags = turning_points(c, from, f, answer.event_flags);
  if ((analysis.flags | (peer.probe_pending ? 1U : 0U)) != 0)
    event_flags |= fault_flags(me, peer, f, faults_of(analysis));
  if (answer.resumed || answer.shows_window || analysis.late_fin != LateFin::none) [[unlikely]] {
    event_flags |= bits(SegmentEvent::unknown_flow);  // to be an event
  }
  return event_flags;
}

// One without an end that counts as over from now on: it was silent for long, or there are too many.
std::uint32_t Conversations::Impl::silent_one() {
  const std::uint32_t half_open = table.oldest(Listed::half_open);
  const std::uint32_t one_way = table.oldest(Listed::one_way);
  if (half_open != ConversationTable::none && silent_ns(table.at(half_open)) > given_up_ns) return half_open;
  if (table.count(Listed::half_open) + table.count(Listed::one_way) <= settings.half_open_limit)
    return ConversationTable::none;
  if (half_open == ConversationTable::none || one_way == ConversationTable::none) return std::min(half_open, one_way);
  return table.at(half_open).last_passed_ns < table.at(one_way).last_passed_ns ? half_open : one_way;
}

// Of those that are over, so many are kept for stragglers, reported or not. One of each kind at a time: true where
// there may be another.
bool Conversations::Impl::give_back(std::vector<Event>& out) {
  const std::uint32_t silent = silent_one();
  const bool given_up = silent != ConversationTable::none;
  if (given_up) {
    table.at(silent).given_up = true;
    table.list(silent, Listed::over);
  }
  const bool crowded = table.count(Listed::over) + table.count(Listed::reported) > settings.linger_limit;
  if (crowded) {
    const std::uint32_t reported = table.oldest(Listed::reported);
    end(reported != ConversationTable::none ? reported : table.oldest(Listed::over), false, out);
  }
  const std::uint32_t over = table.oldest(Listed::over);
  const bool due = over != ConversationTable::none && silent_ns(table.at(over)) > settings.linger_ns;
  if (due) {
    report(over, false, out);
    table.list(over, Listed::reported);
  }
  return given_up || crowded || due;
}

void Conversations::advance(TimeNs now, std::vector<Event>& out) {
  impl_->clock.step_to(now);
  if (now > impl_->now) impl_->now = now;
  while (impl_->give_back(out)) {
  }
}

// After each segment that can change what is still to come.
void Conversations::Impl::relist(std::uint32_t slot, Conversation& c, const TcpFrame& f) {
  if (has(f, tcp_flag::rst) && !analysis.refused) {
    c.reset_unsure = (!c.reset || c.reset_unsure) && !has_awaited_number(c.half(c.local == f.source ? 0 : 1), f);
    c.reset = true;
  } else if (analysis.resumed) {
    c.reset = c.reset_unsure = false;
  }
  c.given_up = false;
  c.established = c.handshake_done || (c.side[0].seen && c.side[1].seen && c.midstream());
  Listed to = Listed::no;
  if (c.listed == Listed::reported) {
    to = Listed::reported;
  } else if (c.closed() || (c.reset && !c.reset_unsure)) {
    to = Listed::over;
  } else if (c.reset || (!c.established && !c.midstream())) {
    to = Listed::half_open;
  } else if (!c.established) {
    to = Listed::one_way;
  }
  table.list(slot, to);
}

// Once: what comes behind it is of no connection.
void Conversations::Impl::report(std::uint32_t slot, bool cut, std::vector<Event>& out) {
  const Conversation& c = table.at(slot);
  if (c.listed == Listed::reported) return;
  Event& e = out.emplace_back();
  e.ts_ns = c.last_ts_ns;
  e.body = ConversationEnd{slot + 1, {c.local, c.remote, c.scope}, c.totals(), cut, now};
}

void Conversations::Impl::end(std::uint32_t slot, bool cut, std::vector<Event>& out) {
  if (const std::uint32_t older = table.at(slot).older; older != ConversationTable::none) end(older, cut, out);
  report(slot, cut, out);
  table.release(slot);
  // The one that follows the next one: its own place in the list was asked for a turn ago.
  const std::uint32_t next = table.oldest(Listed::over);
  if (next != ConversationTable::none) table.warm(table.at(next).next);
}

void Conversations::Impl::emit(const Conversation& c, unsigned from, const TcpFrame& f, std::uint16_t event_flags,
                               std::vector<Event>& out) {
  Event& e = out.emplace_back();
  e.id = f.number;
  e.ts_ns = f.ts_ns;
  Segment& g = e.body.emplace<Segment>();
  g.header.ts_ns = static_cast<std::uint64_t>(f.ts_ns);
  g.tuple = to_pair({c.local, c.remote, c.scope});
  g.socket.type = SocketKind::unknown;
  g.ifindex = f.interface + 1;  // 0 is none
  g.direction = from == 0 ? Direction::out : Direction::in;
  g.event_flags = event_flags;
  g.seq = f.seq;
  g.ack = f.ack;
  g.len = f.len;
  g.ts_val = f.ts_val;
  g.ts_ecr = f.ts_ecr;
  g.window = f.window;
  g.mss = f.mss;
  g.vlan_id = f.vlan_id;
  g.flags = f.flags;
  g.ttl = f.ttl;
  g.options = f.options;
  g.wscale = f.wscale;
  g.wire.bytes_out = c.side[0].bytes.payload();
  g.wire.bytes_in = c.side[1].bytes.payload();
  g.wire.segs_out = static_cast<std::uint32_t>(c.side[0].frames);
  g.wire.segs_in = static_cast<std::uint32_t>(c.side[1].frames);
  g.wire.retrans_bytes_out = static_cast<std::uint32_t>(c.side[0].bytes.retransmitted());
  g.wire.retrans_bytes_in = static_cast<std::uint32_t>(c.side[1].bytes.retransmitted());
  g.loss.retrans_segs_out = c.side[0].retransmits + c.side[0].repeated;
  g.loss.retrans_segs_in = c.side[1].retransmits + c.side[1].repeated;
  g.loss.reordered_segs_out = c.side[0].out_of_order - c.side[0].repeated;
  g.loss.reordered_segs_in = c.side[1].out_of_order - c.side[1].repeated;
  g.segments = 1;
  g.reordered = (faults_of(analysis) & analysis_flag::out_of_order) != 0 ? 1 : 0;
  g.analysis = analysis;
  if (f.sack_count != 0) g.sack = {f.sack_count, f.sack};
}

}  // namespace tcpwitness

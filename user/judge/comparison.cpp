// SPDX-License-Identifier: Apache-2.0
// comparison.cpp: the two witnesses' counts of one connection beside each other, and where each difference went.
//
// Whatever can make a difference is a share with a lower and an upper bound, from what is known of it: a drop has its
// count, a retransmission its own. Shares that are known exactly are taken first, the others as far as they are needed.
// What is left is not explained; nothing is rounded away.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "facts/measures.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

struct Share {
  Part part;
  std::int64_t low = 0;
  std::int64_t high = 0;
};

Share exactly(Where where, std::int64_t amount) {
  return {{.where = where, .reason = {}, .amount = amount}, amount, amount};
}
Share up_to(Where where, std::int64_t most) {
  return {{.where = where, .reason = {}}, std::min<std::int64_t>(most, 0), std::max<std::int64_t>(most, 0)};
}
Share usually(Where where, std::int64_t amount) {
  return {{.where = where, .reason = {}, .amount = amount}, 0, amount};
}

// Fills in the amounts. They are certain where all that the events give is the difference, or where one of them alone
// is free and makes it up: no other amount fits then. open: the two were not counted at one moment.
void explain(CountPair& pair, std::vector<Share> shares, bool open) {
  if (!pair.kernel || !pair.wire) return;
  std::int64_t left = pair.difference();
  for (const Share& share : shares) left -= share.part.amount;
  const bool fits = left == 0;
  const auto is_free = [](const Share& share) { return share.low != share.high; };
  const auto several = std::ranges::count_if(shares, is_free) > 1;
  for (Share& share : shares) {
    const std::int64_t taken = std::clamp(share.part.amount + left, share.low, share.high) - share.part.amount;
    share.part.amount += taken;
    left -= taken;
  }
  for (Share& share : shares) {
    if (!fits && is_free(share) && (several || left != 0)) share.part.confidence = Confidence::likely;
    if (share.part.amount != 0) pair.parts.push_back(std::move(share.part));
  }
  if (left == 0) return;
  Part rest{.where = open ? Where::two_moments : Where::unexplained, .reason = {}, .amount = left};
  rest.confidence = Confidence::inconclusive;
  pair.parts.push_back(std::move(rest));
}

// The kernel's counts are those of the socket; the queue behind the hook, and TCP's own refusals, count for both.
enum class Place : std::uint8_t { before_tcp, before_count, after_count };

Place place_in(DropKind kind) {
  switch (kind) {
    case DropKind::firewall:
    case DropKind::routing:
    case DropKind::few_hops_left:
      return Place::before_tcp;
    case DropKind::filter:        // a socket filter is asked before the count, tc and XDP perhaps before our hook
    case DropKind::queue:         // likewise
    case DropKind::not_signed:    // before the count, but not on every kernel
    case DropKind::bad_checksum:  // before the count, or behind it where that is put off
    case DropKind::memory:
    case DropKind::no_socket:
    case DropKind::accept_queue:
    case DropKind::damaged:
    case DropKind::too_big:
      return Place::before_count;
    default:
      return Place::after_count;
  }
}

Where where_in(DropKind kind) {
  switch (kind) {
    case DropKind::firewall:
    case DropKind::routing:
    case DropKind::filter:
    case DropKind::queue:
    case DropKind::few_hops_left:
    case DropKind::not_signed:
      return Where::dropped_before;
    case DropKind::old_payload:  // TCP has them: it needs no second copy, and nothing is missing
    case DropKind::old_sequence:
      return Where::sent_again;
    default:
      return Where::refused;
  }
}

Part part_of(const DropSeen& seen, const RuleContext& context, Where where) {
  return {
      .where = where, .reason = context.names.drop_reason(seen.reason), .drop = drop_kind(context.names, seen.reason)};
}

class Maker {
 public:
  Maker(const Connection& c, const RuleContext& context)
      : c_(c), context_(context), measures_(context.measures != nullptr ? *context.measures : Measures{}) {}

  void fill(Comparison& out) {
    if (c_.anomalies) loss_ = c_.anomalies->loss;
    // Of what was open before, the two witnesses' counts began one after the other.
    open_ = !c_.ended() || c_.opening.preexisting;
    sent(out.tx);
    received(out.rx);
  }

 private:
  [[nodiscard]] static std::uint64_t since(std::uint64_t now, std::uint64_t before) {
    return now > before ? now - before : 0;
  }
  [[nodiscard]] static std::int64_t again_bytes(std::uint32_t now, std::uint32_t before) {
    return static_cast<std::int64_t>(since(now, before));
  }
  [[nodiscard]] std::span<const DropSeen> drops() const {
    return c_.anomalies ? c_.anomalies->drops.seen() : std::span<const DropSeen>{};
  }
  // A buffer of GSO or GRO is one drop and several segments, the last of which can be short.
  [[nodiscard]] std::int64_t segments_at_most(const DropSeen& seen) const {
    const std::int64_t full = c_.cb.mss != 0 ? c_.cb.mss : 536;  // RFC 9293, 3.7.1
    if (seen.segments > seen.count) return seen.segments;
    const std::int64_t buffers = std::int64_t{seen.count} - seen.empty;
    if (seen.bytes <= buffers * full) return seen.count;  // nothing shows that one of them is more than a segment
    return seen.empty + (seen.bytes - buffers) / full + buffers;
  }
  [[nodiscard]] std::uint32_t segs_in() const {
    return measures_.destroyed ? std::max(measures_.segs_in, c_.cb.segs_in) : c_.cb.segs_in;
  }
  [[nodiscard]] std::uint32_t segs_out() const {
    if (!measures_.destroyed) return c_.cb.segs_out;
    // A close with SO_LINGER 0 (tcp_disconnect()) sends its RST behind the transition, and sets the counters to 0 then.
    const bool set_back = measures_.segs_out < c_.cb.segs_out;
    const bool reset = c_.anomalies && c_.anomalies->reset_sent.mark && !c_.anomalies->reset_sent.answers_segment;
    return set_back && reset ? c_.cb.segs_out + 1 : std::max(measures_.segs_out, c_.cb.segs_out);
  }

  void sent(SideBySide& side) {
    side.bytes.kernel = since(sent_payload(c_), before_.tx_bytes);
    side.bytes.wire = since(c_.wire.bytes_out, before_.wire.bytes_out);
    side.segments.kernel = since(segs_out(), before_.segs_out);
    side.segments.wire = since(c_.wire.segs_out, before_.wire.segs_out);
    side.sent_again.kernel =
        since(std::max(retransmitted_segments(c_), measures_.total_retrans), before_.total_retrans);
    side.sent_again.wire = since(loss_.retrans_segs_out, before_.loss.retrans_segs_out);

    std::vector<Share> segments;
    std::vector<Share> bytes;
    std::vector<Share> again;
    if (measures_.listener_out != 0) segments.push_back(exactly(Where::listener, measures_.listener_out));
    const std::int64_t queued = refused_by_queue(side.behind);
    const std::int64_t lost = never_left(segments, bytes);
    // What is sent by others than the socket is counted where it is an event.
    segments.push_back(usually(Where::mini_socket, measures_.mini_out));
    // What the queue refuses at once TCP has not sent: the next copy is its first (tcp_write_xmit()).
    if (queued != 0) {
      again.push_back(up_to(Where::queue, queued));
      again.back().part.note = PartNote::next_is_first_to_tcp;
    }
    // The first copy of what the interface never had is no repetition to it.
    if (lost != 0) {
      again.push_back(up_to(Where::never_left, -lost));
      again.back().part.note = PartNote::next_is_first_to_interface;
    }
    unacknowledged(bytes);
    bytes.push_back(up_to(Where::sent_again, again_bytes(c_.wire.retrans_bytes_out, before_.wire.retrans_bytes_out)));
    explain(side.segments, std::move(segments), open_);
    explain(side.bytes, std::move(bytes), open_);
    explain(side.sent_again, std::move(again), open_);
  }
  [[nodiscard]] bool by_queue(const DropSeen& seen) const {
    return drop_kind(context_.names, seen.reason) == DropKind::queue;
  }
  // Behind the interface's hook: both have counted them. How many.
  std::int64_t refused_by_queue(std::vector<Part>& behind) const {
    std::int64_t queued = 0;
    for (const DropSeen& seen : drops()) {
      if (!seen.out || !by_queue(seen)) continue;
      Part part = part_of(seen, context_, Where::queue);
      part.amount = segments_at_most(seen);
      if (part.amount != seen.count) part.confidence = Confidence::likely;
      queued += part.amount;
      behind.push_back(std::move(part));
    }
    return queued;
  }
  // Dropped on the way out. How many at most.
  std::int64_t never_left(std::vector<Share>& segments, std::vector<Share>& bytes) const {
    std::int64_t lost = 0;
    for (const DropSeen& seen : drops()) {
      if (!seen.out || by_queue(seen)) continue;
      const DropKind kind = drop_kind(context_.names, seen.reason);
      const bool of_listener = c_.role == Role::passive && (seen.flags & tcp_flag::syn) != 0;
      const bool hook_unknown = kind == DropKind::filter || kind == DropKind::other || of_listener;
      Share share{part_of(seen, context_, Where::never_left)};
      share.low = -segments_at_most(seen);
      share.high = hook_unknown ? 0 : -std::int64_t{seen.count};
      share.part.amount = share.high;
      lost += -share.low;
      segments.push_back(std::move(share));
      if (seen.bytes != 0) {
        bytes.push_back({part_of(seen, context_, Where::never_left), -std::int64_t{seen.bytes}, 0});
      }
    }
    return lost;
  }
  // Bytes that were sent and not acknowledged yet: at the end, and when tracing began.
  void unacknowledged(std::vector<Share>& bytes) const {
    std::int64_t amount = c_.cb.snd_nxt - c_.cb.snd_una;
    const bool with_fin =
        c_.teardown && c_.teardown->fin_out.sent && seq_before(c_.cb.snd_una, c_.teardown->fin_out.end);
    if (amount > 0 && with_fin) --amount;
    if (amount > 0 && c_.opening.established) {
      Share share = up_to(Where::unacknowledged, amount);
      share.part.amount = amount;
      bytes.push_back(std::move(share));
    }
    if (before_.in_flight != 0) {
      Share share = up_to(Where::unacknowledged, -std::int64_t{before_.in_flight});
      share.part.note = PartNote::before_start;
      share.part.amount = -std::int64_t{before_.in_flight};
      bytes.push_back(std::move(share));
    }
  }

  void received(SideBySide& side) {
    side.bytes.kernel = since(received_payload(c_), before_.rx_bytes);
    side.bytes.wire = since(c_.wire.bytes_in, before_.wire.bytes_in);
    side.segments.kernel = since(segs_in(), before_.segs_in);
    side.segments.wire = since(c_.wire.segs_in, before_.wire.segs_in);
    side.sent_again.wire = since(loss_.retrans_segs_in, before_.loss.retrans_segs_in);

    std::vector<Share> segments;
    std::vector<Share> bytes;
    segments.push_back(usually(Where::mini_socket, measures_.mini_in));
    // What a RST refused behind the socket's end was ordinary data, which is no event.
    if (measures_.refused_in != 0) {
      constexpr std::int64_t most_bytes = 65535;  // of a buffer
      segments.push_back(up_to(Where::mini_socket, measures_.refused_in));
      bytes.push_back(up_to(Where::mini_socket, measures_.refused_in * most_bytes));
      bytes.back().part.confidence = Confidence::likely;
    }
    // A child's count begins with 1, for the SYN, and the ACK that made it is counted too.
    if (measures_.listener_in != 0) {
      const std::int64_t met = measures_.listener_in;
      Share share = exactly(Where::listener, std::max<std::int64_t>(met - 2, 0));
      share.high = met - 1;
      if (share.high < share.low) share.high = share.low;
      segments.push_back(std::move(share));
    }
    std::vector<Share> doubtful;
    for (const DropSeen& seen : drops()) {
      if (seen.out) continue;
      const DropKind kind = drop_kind(context_.names, seen.reason);
      const Place place = place_in(kind);
      Share share{part_of(seen, context_, where_in(kind)), seen.count, segments_at_most(seen)};
      share.part.amount = seen.count;
      if (place == Place::before_count) {
        share.low = share.part.amount = 0;
        doubtful.push_back(share);
      } else if (place == Place::before_tcp) {
        segments.push_back(share);
      }
      if (seen.bytes == 0) continue;
      Share lacking{part_of(seen, context_, where_in(kind)), 0, seen.bytes};
      lacking.part.amount = seen.bytes;
      bytes.push_back(std::move(lacking));
    }
    segments.insert(segments.end(), doubtful.begin(), doubtful.end());
    bytes.push_back(up_to(Where::sent_again, again_bytes(c_.wire.retrans_bytes_in, before_.wire.retrans_bytes_in)));
    explain(side.segments, std::move(segments), open_);
    explain(side.bytes, std::move(bytes), open_);
  }

  const Connection& c_;
  const RuleContext& context_;
  Measures measures_;
  const FirstLook& before_ = measures_.first_look;
  LossCounters loss_{};
  bool open_ = false;
};

NotCompared why_not(const Connection& c, const RuleContext& context) {
  const Measures* measures = context.measures;
  const bool counted_from_then = c.opening.preexisting && measures != nullptr && measures->first_look.taken;
  // The map learns of a flow once; where it was older than that, with the first event of it.
  const bool restarted =
      counted_from_then ? measures->unknown_flows > (measures->first_look.had_wire ? 0U : 1U) : c.totals.restarted;
  if (c.forwarded()) return NotCompared::forwarded;
  if (!c.seen_by.kernel && !counted_from_then) return NotCompared::packets_only;
  if (!c.seen_by.wire) return NotCompared::kernel_only;
  if (c.opening.preexisting && !counted_from_then) return NotCompared::open_before;
  if (c.incomplete) return NotCompared::events_lost;
  if (!c.has_cb()) return NotCompared::no_socket;
  if (!c.totals.final || restarted || c.totals.has_fragments || c.transitions.inconsistent)
    return NotCompared::packets_cut;
  return NotCompared::no;
}

// What a capture holds.
void fill(Comparison& out, const ConversationTotals& totals) {
  const auto side = [](SideBySide& to, const StreamTotals& stream) {
    to.bytes.wire = stream.payload_bytes;
    to.segments.wire = stream.frames;
    to.sent_again.wire = stream.retransmits;
  };
  side(out.tx, totals.out);
  side(out.rx, totals.in);
}

class Times {
 public:
  Times(const Connection& c, const RuleContext& context, Comparison& out) : c_(c), context_(context), out_(out) {}

  void fill() {
    const TimeNs ack = context_.measures != nullptr ? context_.measures->handshake_ack_ns : 0;
    const bool active = c_.role == Role::active;
    const bool copied = c_.anomalies && (c_.anomalies->syn_ack_copy || c_.anomalies->retransmissions.syns != 0);
    if (c_.opening.established && c_.handshake_ns >= 0) {
      const bool by_kernel = context_.has_kernel;
      const TimeNs begun = handshake_begun(c_);
      const TimeNs open = begun + c_.handshake_ns;
      // From the SYN at the interface, as the wire's: what lies between connect() and it has a line of its own.
      put(by_kernel ? Timed::handshake_kernel : Timed::handshake_wire, c_.syn ? c_.syn.ts_ns : begun, open);
      const TimeNs last = active ? c_.syn_ack.ts_ns : ack;
      if (by_kernel && last != 0 && !copied) put(Timed::arrival_to_open, last, open);
      if (by_kernel && active && c_.syn && c_.seen_by.kernel && !c_.opening.by_write)
        put(Timed::connect_to_wire, c_.start_ts_ns, c_.syn.ts_ns);
    }
    if (context_.has_kernel && c_.syn && ack != 0) put(Timed::handshake_wire, c_.syn.ts_ns, ack);
    if (c_.syn && c_.syn_ack && !copied) {
      if (active) {
        put(Timed::round_trip_wire, c_.syn.ts_ns, c_.syn_ack.ts_ns);
      } else if (ack != 0) {
        put(Timed::round_trip_wire, c_.syn_ack.ts_ns, ack);
      }
    }
    if (c_.has_cb() && c_.cb.srtt_us != 0) put(Timed::round_trip_kernel, 0, std::int64_t{c_.cb.srtt_us} * 1000);
    teardown();
    if (context_.measures != nullptr && context_.measures->first_read_ms >= 0)
      put(Timed::arrival_to_read, 0, std::int64_t{context_.measures->first_read_ms} * 1'000'000);
  }

 private:
  void put(Timed timed, TimeNs from, TimeNs to) {
    out_.times[static_cast<std::size_t>(timed)] = std::max<std::int64_t>(to - from, 0);
  }
  void teardown() {
    if (!c_.teardown || !context_.has_kernel) return;
    const Teardown& teardown = *c_.teardown;
    const FinFacts& in = teardown.fin_in;
    // What waits for a missing segment before it is no time of this kernel's.
    if (teardown.close_wait && in.sent && !in.ahead && !in.repeated && in.sent.id < teardown.close_wait.id)
      put(Timed::arrival_to_close_wait, in.sent.ts_ns, teardown.close_wait.ts_ns);
    const bool by_call = teardown.first && actor_owned(teardown.first_actor);
    if (by_call && c_.closed_by == ClosedBy::local && teardown.fin_out.sent &&
        teardown.first.id < teardown.fin_out.sent.id)
      put(Timed::close_to_wire, teardown.first.ts_ns, teardown.fin_out.sent.ts_ns);
  }

  const Connection& c_;
  const RuleContext& context_;
  Comparison& out_;
};

constexpr std::array<std::string_view, where_count> where_names{
    "listener",       "mini-socket", "unacknowledged", "sent-again",  "dropped-before-tcp",
    "refused-by-tcp", "never-left",  "queue",          "two-moments", "unexplained"};
constexpr std::array<std::string_view, not_compared_count> not_compared_names{
    "",          "kernel-only",        "packets-only", "open-before-start", "events-lost",
    "no-socket", "packets-incomplete", "forwarded"};
constexpr std::array<std::string_view, timed_count> timed_names{
    "handshake_kernel",      "handshake_wire",  "round_trip_kernel", "round_trip_wire", "arrival_to_established",
    "arrival_to_close_wait", "connect_to_wire", "close_to_wire",     "arrival_to_read"};

}  // namespace

std::string_view name(Where where) { return where_names[static_cast<std::size_t>(where)]; }
std::string_view name(NotCompared why) { return not_compared_names[static_cast<std::size_t>(why)]; }
std::string_view name(Timed timed) { return timed_names[static_cast<std::size_t>(timed)]; }

Comparison compare(const Connection& c, const RuleContext& context) {
  Comparison made;
  made.why_not = why_not(c, context);
  if (made.compared()) {
    made.open_before = c.opening.preexisting;
    Maker(c, context).fill(made);
  } else if (context.conversation != nullptr) {
    fill(made, *context.conversation);
  }
  if (!c.forwarded()) Times(c, context, made).fill();
  return made;
}

}  // namespace tcpwitness

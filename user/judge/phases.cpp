// SPDX-License-Identifier: Apache-2.0
// phases.cpp: where the time of a connection went, as far as events and segments show it.
#include <algorithm>
#include <optional>

#include "facts/derived.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::optional<PayloadTimes> payload_times(const Connection& c, const RuleContext& context) {
  if (context.conversation == nullptr && context.payload != nullptr) {
    PayloadTimes times = *context.payload;
    // Not every segment was seen after all.
    if (c.incomplete || c.totals.has_fragments) {
      times.every_segment = false;
      times.repeated = true;
    }
    return times;
  }
  if (context.conversation == nullptr) {
    std::optional<PayloadTimes> times = c.seldom ? c.seldom->payload : std::nullopt;
    // Of all that was sent again it is not known what it was.
    if (times && c.anomalies)
      times->repeated = c.anomalies->loss.retrans_segs_in != 0 || c.anomalies->loss.retrans_segs_out != 0;
    return times;
  }
  PayloadTimes times = context.conversation->payload;
  // What was not captured may be the request, or what a pause was waiting for.
  if (context.conversation->out.missing_bytes != 0 || context.conversation->in.missing_bytes != 0) {
    times.every_segment = false;
    times.repeated = true;
  }
  return times;
}

std::int64_t positive(std::int64_t ns) { return std::max<std::int64_t>(ns, 0); }

// Nothing where time ran back meanwhile.
std::optional<std::int64_t> between(TimeNs from, TimeNs to) {
  return from <= to ? std::optional(to - from) : std::nullopt;
}

// ESTABLISHED, or the ACK that a capture shows; 0: not seen.
TimeNs opened(const Connection& c) {
  if (!c.opening.established || c.handshake_ns < 0 || c.opening.preexisting) return 0;
  return handshake_begun(c) + c.handshake_ns;
}

// The first of both FINs, or the kernel's first transition towards the end; 0: not seen.
TimeNs first_fin(const Connection& c) {
  if (!c.teardown || !c.ended()) return 0;
  TimeNs first = 0;
  for (const Mark* fin : {&c.teardown->fin_out.sent, &c.teardown->fin_in.sent}) {
    if (*fin && (first == 0 || fin->ts_ns < first)) first = fin->ts_ns;
  }
  return first == 0 && c.seen_by.kernel && c.teardown->first ? c.teardown->first.ts_ns : first;
}

// SYN to SYN-ACK at this place, where neither was sent twice: what a round trip and the other kernel take.
std::optional<std::int64_t> round_trip(const Connection& c) {
  const bool repeated = (c.anomalies && (c.anomalies->syn_ack_copy || c.anomalies->retransmissions.syns != 0)) ||
                        (c.inferred && c.inferred->syn_ack_repeated);
  if (!c.syn || !c.syn_ack || repeated) return std::nullopt;
  return between(c.syn.ts_ns, c.syn_ack.ts_ns);
}

void opening(const Connection& c, const RuleContext& context, Phases& phases) {
  if (c.opening.preexisting) return;
  const bool active = c.role == Role::active;
  const bool by_call = active && !c.opening.by_write && c.seen_by.kernel && context.has_kernel;
  const TimeNs begun = by_call ? c.start_ts_ns : c.syn.ts_ns;
  if (c.syn && c.syn_ack) phases.connect = between(begun, c.syn_ack.ts_ns);
  const TimeNs open = opened(c);
  if (open == 0) return;
  if (c.syn && c.syn_ack) {
    phases.synack_ack = between(c.syn_ack.ts_ns, open);
    // One timestamp of both is wrong, and which is not known.
    if (!phases.connect || !phases.synack_ack) phases.connect = phases.synack_ack = std::nullopt;
  } else if (by_call) {
    phases.connect = c.handshake_ns;  // no packets: both together
  }
  if (c.anomalies && c.anomalies->accept.first_call && c.anomalies->accept.unaccepted && !active)
    phases.accept = positive(c.anomalies->accept.first_call.ts_ns - open);
}

void payload(const Connection& c, const PayloadTimes& t, Phases& phases) {
  const bool out = t.first_out != 0;
  const bool in = t.first_in != 0;
  if (!out && !in) return;
  const bool out_first = out && (!in || t.first_out <= t.first_in);
  const std::int64_t first = out_first ? t.first_out : t.first_in;
  const std::int64_t acked = out_first ? t.first_out_acked : t.first_in_acked;
  if (acked != 0) phases.request_ack = positive(acked - first);
  // Who connects asks.
  const bool known = c.role != Role::unknown;
  const bool client_is_out = known ? c.role == Role::active : out_first;
  const std::int64_t answer = client_is_out ? t.first_in : t.first_out;
  if (client_is_out == out_first) {
    const std::int64_t newest = out_first ? t.last_out : t.last_in;
    const std::int64_t end = t.request_end != 0 ? t.request_end : answer == 0 ? newest : first;
    phases.request = positive(end - first);
  }
  if (answer != 0 && client_is_out == out_first) {
    phases.first_byte = positive(answer - (t.request_end != 0 ? t.request_end : first));
  } else if (answer != 0 && known && opened(c) != 0) {
    phases.first_byte = positive(answer - opened(c));
  }
  // At the server's interface no round trip is in it; at the client's it is the handshake's.
  const auto trip = round_trip(c);
  if (phases.first_byte && trip && !t.repeated) phases.server = positive(*phases.first_byte - *trip);
  // Until the server sent it was waited for; until the client did nobody had anything to do.
  const std::int64_t waiting = client_is_out ? t.until_in_ns : t.until_out_ns;
  std::int64_t idle = client_is_out ? t.until_out_ns : t.until_in_ns;
  if (!t.every_segment) {
    // What was sent again may be what a pause was for, and shorter pauses are not known.
    if (t.repeated) return;
    if (waiting != 0) phases.waiting = waiting;
    if (idle != 0) phases.idle = idle;
    return;
  }
  const auto pause = [](TimeNs from, TimeNs to) { return from != 0 && to - from >= pause_ns ? to - from : 0; };
  if (client_is_out == out_first) idle += pause(opened(c), first);
  idle += pause(std::max(t.last_in, t.last_out), first_fin(c));
  phases.waiting = waiting;
  phases.transfer = t.transfer_ns;
  phases.stalled = t.stalled_ns;
  phases.idle = idle;
}

}  // namespace

Phases judge_phases(const Connection& c, const RuleContext& context, TimeNs end_ns) {
  Phases phases;
  opening(c, context, phases);
  // Of what only passes through nobody keeps the times of payload. Where the other direction goes by an interface that
  // is not traced, or is not in the capture, no answer shows.
  const bool kept = !c.forwarded() && (context.conversation != nullptr ? !captured_one_way(context) : !one_way(c));
  if (const auto times = kept ? payload_times(c, context) : std::nullopt) payload(c, *times, phases);
  // Where not every segment is seen, closed windows still are events.
  if (!phases.stalled && c.seen_by.wire && c.anomalies && !c.forwarded()) {
    // They can be closed at the same time, and are pauses too.
    const std::int64_t closed = std::max(c.anomalies->local_window.total_ns, c.anomalies->peer_window.total_ns);
    if (closed != 0) {
      phases.stalled = closed;
      phases.waiting = phases.idle = phases.transfer = std::nullopt;
    }
  }
  if (const TimeNs first = first_fin(c); first != 0) phases.closing = between(first, end_ns);
  return phases;
}

}  // namespace tcpwitness

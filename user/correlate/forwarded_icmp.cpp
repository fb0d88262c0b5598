// SPDX-License-Identifier: Apache-2.0
// forwarded_icmp.cpp: ICMP errors that leave for an end of a forwarded connection.
#include "correlate/forwarded.hpp"
#include "correlate/notes.hpp"
#include "facts/hop_numbers.hpp"

namespace tcpwitness {

using State = TcpState;

// Forwarded: an ICMP error leaves for the sender of the segment that it quotes, made by this machine or by another one.
void ForwardedConnections::on_icmp_left(const Event& e, const IcmpSeen& seen) {
  constexpr std::int64_t at_once_ns = 1'000'000;
  const Flow flow = to_flow(seen.tuple);
  IcmpMessage message = icmp_message(seen);
  message.own = seen.came_in == 0;
  const auto quoted = [&](const LocalSyn& one) {
    return one.segment.seq == seen.seq && to_flow(one.segment.tuple) == flow;
  };
  if (LocalSyn* syn = local_syns_.find(quoted)) {
    // What is sent to this machine is refused in its own name (icmp_send()); this was to be sent on, and there is no
    // route. Where NAT gives it another destination the drop right behind shows it.
    const bool to_be_sent_on = message.own && message.sender != flow.local.address;
    if (to_be_sent_on) {
      take_local_syn(*local_syns_.take_oldest(quoted));
    } else {
      syn->refusal = {e, seen};
    }
  }
  unsigned hop = 0;
  const Slot slot = find(flow, hop);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (c.reported) return;
  ForwardedFacts& forwarded = *c.forwarded();
  const IcmpMessage& last = forwarded.message;
  const bool alike = last.type == message.type && last.code == message.code && last.v6 == message.v6;
  // A stacked device shows it again at once.
  if (forwarded.message_mark && alike && forwarded.message_seq == seen.seq &&
      e.ts_ns - forwarded.message_mark.ts_ns <= at_once_ns)
    return;
  forwarded.message = message;
  forwarded.message_mark = {e.id, e.ts_ns};
  forwarded.message_seq = seen.seq;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  const bool of_client = hop == client;
  const bool relative = of_client ? c.isn.has_local : c.isn.has_remote;
  const std::uint32_t isn = of_client ? c.isn.local : c.isn.remote;
  emitter_.entry(
      &c, e, c.flow,
      IcmpEntry{message, message.own, !message.own, relative ? seen.seq - isn : seen.seq, relative, seen.mtu});
  if (of_client && c.isn.has_local && seen.seq == c.isn.local) refuse(slot, e, message);
}

// connect() fails by such a message (tcp_v4_err(), tcp_v6_err() in SYN_SENT). Where a client goes on all the same, it
// asks again.
void ForwardedConnections::refuse(Slot slot, const Event& e, const IcmpMessage& message) {
  Connection& c = table_.at(slot);
  ForwardedFacts& forwarded = *c.forwarded();
  const bool refuses = is_path_error(message.error);
  if (!refuses || c.ended() || c.opening.answered || c.opening.established || c.state != State::syn_sent) return;
  forwarded.refusal = message;
  forwarded.refusal_mark = {e.id, e.ts_ns};
  Teardown& teardown = c.ensure_teardown();
  teardown.end = forwarded.refusal_mark;
  teardown.end_from = State::syn_sent;
  if (forwarded.refusals_ignored == 0) attempts_.refused();
  // SYNs come again after 1, 2, 4, ... seconds (RFC 6298).
  table_.wait(slot, forwarded.refusals_ignored < 2 ? Wait::outsider : Wait::forwarded_attempt, now_);
}

void ForwardedConnections::go_on(Slot slot) {
  Connection& c = table_.at(slot);
  c.teardown->end = {};
  c.teardown->end_from = State::unknown;
  ++c.forwarded()->refusals_ignored;
  watch(slot);
}

}  // namespace tcpwitness

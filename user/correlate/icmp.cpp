// SPDX-License-Identifier: Apache-2.0
// icmp.cpp: what an ICMP error that came in does to the connection whose segment it quotes.
//
// Written from tcp_v4_err() and tcp_v6_err(). A half-open request is dropped without an event, if the message quotes
// its SYN-ACK and is one of those that end a request; what other sockets make of a message shows in their errors. A
// quoted number that was never sent is somebody's guess.
#include <algorithm>
#include <cerrno>

#include "correlate/correlator_impl.hpp"
#include "correlate/notes.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// tcp_v4_err(): net and host unreachable, time exceeded, parameter problem; tcp_v6_err(): what is fatal by
// icmpv6_err_convert().
bool ends_request(const IcmpSeen& seen) {
  if (seen.v6 == 0) return seen.type == 11 || seen.type == 12 || (seen.type == 3 && seen.code <= 1);
  const bool fatal_code = seen.code == 1 || seen.code == 4 || seen.code == 5 || seen.code == 6;
  return seen.type == 4 || (seen.type == 1 && fatal_code);
}

// By what is known of what this side has sent: the kernel's own test is for what is out and not acknowledged.
bool was_sent(const Connection& c, std::uint32_t seq) {
  if (c.has_isn_local && seq_before(seq, c.isn_local)) return false;
  if (c.has_cb() && c.cb.snd_una != 0 && seq_before(seq, c.cb.snd_una)) return false;
  return c.state == State::new_syn_recv || c.state == State::syn_sent ? !c.has_isn_local || seq == c.isn_local : true;
}

bool too_big(const IcmpSeen& seen) { return seen.v6 != 0 ? seen.type == 2 : seen.type == 3 && seen.code == 4; }

}  // namespace

// What refuses a segment before TCP has it: a firewall's reject, above all. The drop of the segment comes right behind.
// That of a forwarded segment shows when it leaves, with the sender that it names.
void Correlator::Impl::on_icmp_sent(const Event& e, const IcmpSeen& seen) {
  const Flow flow = to_flow(seen.tuple);
  const Slot slot = table_.find_flow(flow);
  IcmpMessage message = icmp_message(seen);
  message.own = true;
  message.sender = flow.local.address;
  if (slot == no_slot) strays_.refused(flow, seen.seq, message);
  if (slot == no_slot || table_.at(slot).reported) return;
  Connection& c = table_.at(slot);
  Anomalies& anomalies = c.ensure_anomalies();
  anomalies.icmp_sent = message;
  anomalies.icmp_sent_mark = {e.id, e.ts_ns};
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  const bool relative = c.has_isn_remote;
  const std::uint32_t rel_seq = relative ? seen.seq - c.isn_remote : seen.seq;
  emitter_.entry(&c, e, c.flow, IcmpEntry{message, true, false, rel_seq, relative, 0});
}

// Forwarded: an ICMP error leaves for the sender of the segment that it quotes, made by this machine or by another one.
void Correlator::Impl::on_icmp_left(const Event& e, const IcmpSeen& seen) {
  constexpr std::int64_t at_once_ns = 1'000'000;
  constexpr unsigned client = 0;
  const Flow flow = to_flow(seen.tuple);
  IcmpMessage message = icmp_message(seen);
  message.own = seen.came_in == 0;
  const auto quoted = [&](const LocalSyn& one) {
    return one.segment.seq == seen.seq && to_flow(one.segment.tuple) == flow;
  };
  if (LocalSyn* syn = local_syns_.find(quoted)) {
    // What is sent to this machine is refused in its own name (icmp_send()); this was to be sent on, and there is no
    // route. Where NAT gives it another destination the drop right behind says so.
    const bool to_be_sent_on = message.own && message.sender != flow.local.address;
    if (to_be_sent_on) {
      take_local_syn(*local_syns_.take_oldest(quoted));
    } else {
      syn->refusal = {e, seen};
    }
  }
  unsigned hop = 0;
  const Slot slot = find_hop(flow, hop);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (c.reported) return;
  Passage& passage = *c.passage();
  const IcmpMessage& last = passage.message;
  const bool alike = last.type == message.type && last.code == message.code && last.v6 == message.v6;
  // A stacked device shows it again at once.
  if (passage.message_mark && alike && passage.message_seq == seen.seq &&
      e.ts_ns - passage.message_mark.ts_ns <= at_once_ns)
    return;
  passage.message = message;
  passage.message_mark = {e.id, e.ts_ns};
  passage.message_seq = seen.seq;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  const bool of_client = hop == client;
  const bool relative = of_client ? c.has_isn_local : c.has_isn_remote;
  const std::uint32_t isn = of_client ? c.isn_local : c.isn_remote;
  emitter_.entry(
      &c, e, c.flow,
      IcmpEntry{message, message.own, !message.own, relative ? seen.seq - isn : seen.seq, relative, seen.mtu});
  if (of_client && c.has_isn_local && seen.seq == c.isn_local) refuse_passing(slot, e, message);
}

// connect() fails by such a message (tcp_v4_err(), tcp_v6_err() in SYN_SENT). Where a client goes on all the same, it
// asks again.
void Correlator::Impl::refuse_passing(Slot slot, const Event& e, const IcmpMessage& message) {
  Connection& c = table_.at(slot);
  Passage& passage = *c.passage();
  const bool refuses = is_unreachable(message.error) || message.error == ECONNREFUSED;
  if (!refuses || c.ended() || c.syn_ack_seen || c.established || c.state != State::syn_sent) return;
  passage.refusal = message;
  passage.refusal_mark = {e.id, e.ts_ns};
  Teardown& teardown = c.ensure_teardown();
  teardown.end = passage.refusal_mark;
  teardown.end_from = State::syn_sent;
  if (passage.refusals_ignored == 0) passing_attempts_.refused();
  // SYNs come again after 1, 2, 4, ... seconds (RFC 6298).
  table_.wait(slot, passage.refusals_ignored < 2 ? Wait::outsider : Wait::passing_attempt, now_);
}

void Correlator::Impl::go_on_passing(Slot slot) {
  Connection& c = table_.at(slot);
  c.teardown->end = {};
  c.teardown->end_from = State::unknown;
  ++c.passage()->refusals_ignored;
  watch_passing(slot);
}

void Correlator::Impl::on_icmp(const Event& e, const IcmpSeen& seen) {
  if (seen.sent == IcmpWay::left) return on_icmp_left(e, seen);
  if (seen.sent != IcmpWay::came) return on_icmp_sent(e, seen);
  const Flow flow = to_flow(seen.tuple);
  const Slot slot = table_.find_flow(flow);
  if (slot == no_slot) icmp_ahead_.push(e);
  if (slot == no_slot || table_.at(slot).reported) return;
  Connection& c = table_.at(slot);
  const IcmpMessage message = icmp_message(seen);
  if (was_sent(c, seen.seq) && !c.ended()) {
    Anomalies& anomalies = c.ensure_anomalies();
    anomalies.icmp_in = message;
    anomalies.icmp_in_mark = {e.id, e.ts_ns};
    if (too_big(seen)) anomalies.too_big = anomalies.icmp_in_mark;
    if (c.state == State::new_syn_recv && ends_request(seen)) anomalies.request_dropped = anomalies.icmp_in_mark;
  }
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  IcmpEntry body;
  body.icmp = message;
  body.relative = c.has_isn_local;
  body.rel_seq = c.has_isn_local ? seen.seq - c.isn_local : seen.seq;
  body.mtu = seen.mtu;
  emitter_.entry(&c, e, c.flow, body);
}

// The own firewall's answer to a SYN that never reached an interface comes before the drop, which shows the port.
void Correlator::Impl::take_icmp_ahead(const Flow& flow) {
  const auto of_flow = [&](const Event& e) { return to_flow(std::get<IcmpSeen>(e.body).tuple) == flow; };
  const auto ahead = icmp_ahead_.take_oldest(of_flow);
  if (!ahead) return;
  constexpr std::int64_t just_before_ns = 1'000'000'000;  // an older one is about an earlier connection
  if (now_ - ahead->ts_ns <= just_before_ns) on_icmp(*ahead, std::get<IcmpSeen>(ahead->body));
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// icmp_events.cpp: what an ICMP error that came in does to the connection whose segment it quotes.
//
// Written from tcp_v4_err() and tcp_v6_err(). A half-open request is dropped without an event, if the message quotes
// its SYN-ACK and is one of those that end a request; what other sockets make of a message shows in their errors. A
// quoted number that was never sent is somebody's guess.
#include "correlate/icmp_events.hpp"

#include <algorithm>

#include "facts/derived.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// tcp_v4_err(): net and host unreachable, time exceeded, parameter problem; tcp_v6_err(): what is fatal by
// icmpv6_err_convert().
bool ends_request(const IcmpSeen& seen) {
  if (seen.v6 == 0) {
    using namespace kernel::icmp;
    const bool fatal_code = seen.code == net_unreachable || seen.code == host_unreachable;
    return seen.type == time_exceeded || seen.type == parameter_problem || (seen.type == unreachable && fatal_code);
  }
  using namespace kernel::icmpv6;
  const bool fatal_code =
      seen.code == prohibited || seen.code == port_unreachable || seen.code == policy_fail || seen.code == reject_route;
  return seen.type == parameter_problem || (seen.type == unreachable && fatal_code);
}

// By what is known of what this side has sent: the kernel's own test is for what is out and not acknowledged.
bool was_sent(const Connection& c, std::uint32_t seq) {
  if (c.isn.has_local && seq_before(seq, c.isn.local)) return false;
  if (c.has_cb() && c.cb.snd_una != 0 && seq_before(seq, c.cb.snd_una)) return false;
  return c.state == State::new_syn_recv || c.state == State::syn_sent ? !c.isn.has_local || seq == c.isn.local : true;
}

bool too_big(const IcmpSeen& seen) {
  if (seen.v6 != 0) return seen.type == kernel::icmpv6::packet_too_big;
  return seen.type == kernel::icmp::unreachable && seen.code == kernel::icmp::fragmentation_needed;
}

}  // namespace

// What refuses a segment before TCP has it: a firewall's reject, above all. The drop of the segment comes right behind.
// That of a forwarded segment shows when it leaves, with the sender that it names.
void IcmpEvents::take_sent(const Event& e, const IcmpSeen& seen) {
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
  const bool relative = c.isn.has_remote;
  const std::uint32_t rel_seq = relative ? seen.seq - c.isn.remote : seen.seq;
  emitter_.entry(&c, e, c.flow, IcmpEntry{message, true, false, rel_seq, relative, 0});
}

// The message is for this side, and quotes what it has sent.
void IcmpEvents::take_ours(Connection& c, const Event& e, const IcmpSeen& seen) {
  const IcmpMessage message = icmp_message(seen);
  if (was_sent(c, seen.seq) && !c.ended()) {
    Anomalies& anomalies = c.ensure_anomalies();
    anomalies.icmp_in = message;
    anomalies.icmp_in_mark = {e.id, e.ts_ns};
    if (too_big(seen)) anomalies.too_big = anomalies.icmp_in_mark;
    if (c.state == State::new_syn_recv && ends_request(seen)) anomalies.request_dropped = anomalies.icmp_in_mark;
    if (!settings_.has_kernel && c.state == State::syn_sent && is_path_error(message.error))
      anomalies.attempt_refused = anomalies.icmp_in_mark;
  }
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  put_entry(c, e, seen, c.isn.has_local ? std::optional(c.isn.local) : std::nullopt, false);
}

// isn: of the quoted segment's sender.
void IcmpEvents::put_entry(Connection& c, const Event& e, const IcmpSeen& seen, std::optional<std::uint32_t> isn,
                           bool passed) {
  emitter_.entry(&c, e, c.flow,
                 IcmpEntry{icmp_message(seen), false, passed, seen.seq - isn.value_or(0), isn.has_value(), seen.mtu});
}

void IcmpEvents::take_captured(Slot slot, const Event& e, const IcmpSeen& seen) {
  if (slot == no_slot || table_.at(slot).reported) return;
  Connection& c = table_.at(slot);
  if (to_flow(seen.tuple).local == c.flow.local) return take_ours(c, e, seen);
  put_entry(c, e, seen, c.isn.has_remote ? std::optional(c.isn.remote) : std::nullopt, true);
}

void IcmpEvents::take(const Event& e, const IcmpSeen& seen) {
  if (seen.sent == IcmpWay::left) return forwarded_.on_icmp_left(e, seen);
  if (seen.sent != IcmpWay::came) return take_sent(e, seen);
  const Slot slot = table_.find_flow(to_flow(seen.tuple));
  if (slot == no_slot) early_.push(e);
  if (slot != no_slot && !table_.at(slot).reported) take_ours(table_.at(slot), e, seen);
}

// An older one is about an earlier connection.
bool IcmpEvents::none_early() {
  constexpr std::int64_t just_before_ns = 1'000'000'000;
  early_.expire([&](const Event& e) { return now_ - e.ts_ns > just_before_ns; });
  return early_.empty();
}

// The own firewall's answer to a SYN that never reached an interface comes before the drop, which shows the port.
void IcmpEvents::take_early(const Flow& flow) {
  if (none_early()) return;
  const auto of_flow = [&](const Event& e) { return to_flow(std::get<IcmpSeen>(e.body).tuple) == flow; };
  const auto ahead = early_.take_oldest(of_flow);
  if (ahead) take(*ahead, std::get<IcmpSeen>(ahead->body));
}

}  // namespace tcpwitness

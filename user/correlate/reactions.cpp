// SPDX-License-Identifier: Apache-2.0
// reactions.cpp: how long the kernel needed for what came in, and a process for what its kernel has.
//
// A segment and the transition that it causes are matched by sequence number, as everywhere. What waits for a
// missing segment before it is no delay of this kernel: such a FIN is left out.
#include "correlate/notes.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

struct Reaction {
  Mark segment;
  std::string_view what;
};

Reaction caused_by(const Connection& c, const StateChange& s) {
  const State from = s.old_state;
  const State to = s.new_state;
  if (from == State::syn_sent && to == State::established) {
    const bool same = c.syn_ack && c.isn.has_remote && c.isn.remote + 1 == s.cb.rcv_nxt;
    const Mark newest = c.anomalies && c.anomalies->syn_ack_copy ? c.anomalies->syn_ack_copy : c.syn_ack;
    return same ? Reaction{newest, "SYN-ACK"} : Reaction{};
  }
  if (to == State::close_wait && c.teardown) {
    const FinFacts& fin = c.teardown->fin_in;
    const bool same = fin.sent && !fin.ahead && !fin.repeated && fin.end == s.cb.rcv_nxt;
    return same ? Reaction{fin.sent, "FIN"} : Reaction{};
  }
  if (to == State::close && c.anomalies && c.anomalies->reset_received.mark && from != State::syn_sent) {
    const ResetSeen& rst = c.anomalies->rst_in;
    return rst.mark && takes_reset(from, s.cb.rcv_nxt, rst.seq) ? Reaction{rst.mark, "RST"} : Reaction{};
  }
  return {};
}

}  // namespace

void note_reaction(Connection& c, const Event& e, const StateChange& s, std::int64_t late_ns) {
  if (!was_read(s.cb)) return;
  const Reaction cause = caused_by(c, s);
  if (!cause.segment) return;
  const std::int64_t delay = e.ts_ns - cause.segment.ts_ns;
  if (delay < late_ns) return;
  ReactionFacts& worst = c.ensure_anomalies().reaction;
  if (delay > worst.delay_ns) worst = {cause.segment, e.id, delay, cause.what};
}

// For what comes behind ESTABLISHED of a passive connection.
void note_unaccepted(Connection& c, const Event& e, const ControlBlock& cb, std::int64_t slow_ns) {
  if (!was_read(cb) || !cb.is(SocketDetail::unaccepted)) return;
  if (c.role != Role::passive || c.handshake_ns < 0 || c.opening.preexisting || !c.syn) return;
  const TimeNs since = c.syn.ts_ns + c.handshake_ns;
  if (e.ts_ns - since < slow_ns) return;
  AcceptFacts& accept = c.ensure_anomalies().accept;
  accept.unaccepted = {e.id, e.ts_ns};
  accept.since_ns = since;
}

void note_first_call(Connection& c, const Event& e, const OwnerSeen& o, std::int64_t slow_ns) {
  if (o.source != OwnerSource::receive && o.source != OwnerSource::send) return;
  const bool first = c.role == Role::passive && c.opening.established && !c.opening.preexisting &&
                     c.owner.source != PidSource::send && c.owner.source != PidSource::receive &&
                     c.owner.source != PidSource::close;
  if (!first) return;
  const bool waited = o.source == OwnerSource::receive && std::int64_t{o.waited_ms} * 1'000'000 >= slow_ns;
  if (!waited && (!c.anomalies || !c.anomalies->accept.unaccepted)) return;
  AcceptFacts& accept = c.ensure_anomalies().accept;
  if (accept.first_call) return;
  accept.first_call = {e.id, e.ts_ns};
  accept.waited_ms = o.waited_ms;
}

}  // namespace tcpwitness

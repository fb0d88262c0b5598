// SPDX-License-Identifier: Apache-2.0
// life.cpp: everything that is told of a connection when it is over, put together.
//
// Here, and only here, a gap takes certainty away from all findings of the connection it overlaps.
#include <algorithm>
#include <cerrno>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::vector<Finding> findings_of(const Connection& c, const Bench& bench, Outcome outcome) {
  std::vector<Finding> findings;
  const auto add = [&](std::optional<Finding> finding) {
    if (!finding) return;
    name_other_end(*finding, c, bench);
    if (c.incomplete) finding->confidence = Confidence::inconclusive;
    findings.push_back(std::move(*finding));
  };
  add(judge_slow_handshake(c, bench));
  if (!c.closing && !c.trouble) return findings;
  add(judge_port_exhaustion(c, bench));
  add(judge_peer_not_closing(c, bench));
  add(judge_write_after_peer_closed(c, bench, outcome));
  if (c.trouble) {
    add(judge_retransmission(c, bench));
    add(judge_retransmission_in(c, bench));
    add(judge_path_mtu_black_hole(c, bench));
    add(judge_path_dead(c, bench));
    add(judge_delayed_ack_stall(c, bench));
    add(judge_keepalive(c, bench, outcome));
    add(judge_zero_window(c, bench));
    add(judge_reset_origin(c, bench, outcome));
    add(judge_half_open(c, bench, outcome));
    add(judge_rx_dropped(c, bench));
    add(judge_tx_not_sent(c, bench));
    add(judge_bad_checksum(c, bench));
    add(judge_out_of_window(c, bench));
    add(judge_old_timestamp(c, bench));
    add(judge_accept_queue_full(c, bench));
    add(judge_syn_backlog_full(c, bench));
    add(judge_syncookie(c, bench));
    add(judge_slow_accept(c, bench));
    add(judge_late(c, bench));
  }
  if (c.closing) {
    add(judge_close_wait_stuck(c, bench));
    add(judge_time_wait(c, bench));
    add(judge_bytes_disagree(c, bench, outcome));
  }
  return findings;
}

}  // namespace

std::uint32_t retransmitted_segments(const Connection& c) {
  const std::uint32_t heard = c.trouble ? c.trouble->retransmissions.kernel : 0;
  if (c.kernel_heard) return std::max(c.has_cb() ? c.cb.total_retrans : 0, heard);
  return c.trouble ? c.trouble->loss.retrans_segs_out : 0;
}

bool wire_complete(const Connection& c) {
  // The socket has received more segments than the wire showed: some had headers that nobody could follow.
  const bool missed = c.has_cb() && c.cb.segs_in > c.wire.segs_in;
  const bool whole = c.wire_final && !c.wire_restarted && !c.wire_partial && !c.preexisting && !missed;
  if (!whole || !counted_to_the_end(c)) return false;
  if (!c.established) return true;
  return c.syn && c.syn_ack_seen && c.wire.segs_in != 0 && c.wire.segs_out != 0;
}

namespace {

// What a capture holds of the connection, counted to the last frame.
void tell_conversation(Life& life, const Connection& c, const ConversationTotals& totals) {
  life.conversation = totals;
  life.tx_bytes = totals.out.sequence_bytes;
  life.rx_bytes = totals.in.sequence_bytes;
  life.retransmits = totals.out.retransmits;
  life.retransmits_in = totals.in.retransmits;
  life.out_of_order_in = totals.in.out_of_order;
  life.out_of_order_out = totals.out.out_of_order;
  const bool whole = c.syn && c.syn_ack_seen && c.ended();
  const bool gaps = totals.out.missing_bytes != 0 || totals.in.missing_bytes != 0;
  life.wire = WireTotals{totals.out.payload_bytes, totals.in.payload_bytes, totals.out.frames, totals.in.frames,
                         whole && !gaps};
  if (!c.ends) return;
  const bool payload = totals.out.sequence_bytes != 0 || totals.in.sequence_bytes != 0;
  life.zeek_state = c.ends->zeek.word(totals.out.frames != 0, totals.in.frames != 0, payload);
}

}  // namespace

std::vector<Finding> judge_findings(const Connection& c, const Bench& bench) {
  const Outcome outcome = judge_outcome(c, bench);
  return c.passage() ? forwarded_findings(c, bench, outcome) : findings_of(c, bench, outcome);
}

Life judge_life(const Connection& c, const Bench& bench) {
  Life life;
  life.conn = c.id;
  life.start_ts_ns = c.start_ts_ns;
  // The end is the last transition: of the mini-socket too, but its waiting in TIME_WAIT is no part of the duration.
  life.ts_ns = c.last_ts_ns;
  if (c.ended()) life.ts_ns = std::max({c.closing->end.ts_ns, c.closing->time_wait.ts_ns, c.start_ts_ns});
  if (!c.ended() && bench.finished && bench.conversation == nullptr) life.ts_ns = std::max(bench.now, c.last_ts_ns);
  life.duration_ns = life.ts_ns - life.start_ts_ns;
  life.flow = c.flow;
  life.nat = c.on_the_wire();
  life.role = c.role;
  life.process = c.owner.process();
  life.netns = c.netns;
  life.outcome = judge_outcome(c, bench);
  if (life.outcome == Outcome::syn_dropped) {  // the newest SYN is the end of it, whenever the run ends
    life.ts_ns = c.last_ts_ns;
    life.duration_ns = life.ts_ns - life.start_ts_ns;
  }
  if (life.outcome == Outcome::fin_wait2_timeout && c.closing->mini_fin_wait2) {
    life.ts_ns = c.closing->end.ts_ns + c.closing->fin_timeout_ns;
    life.duration_ns = life.ts_ns - life.start_ts_ns;
  }
  // What is set on a socket that its process has closed (SOCK_DEAD) reaches nobody.
  const bool orphan = c.ended() && c.has_cb() && (c.cb.flags & TW_CB_DEAD) != 0;
  if (c.error != 0 && !orphan) life.error = c.error;
  if (life.outcome == Outcome::no_local_port) life.error = EADDRNOTAVAIL;
  // What SO_ERROR said (sk_err_soft) before the process gave up.
  const bool by_message = life.outcome == Outcome::unreachable || life.outcome == Outcome::refused ||
                          life.outcome == Outcome::connect_unsent;
  const IcmpMessage* icmp = icmp_behind(c);
  if (by_message && !life.error && icmp != nullptr && c.role != Role::passive) life.error = icmp->error;
  life.closed_by = judge_closed_by(c, life.outcome);
  if (!c.passage() && life.outcome == Outcome::refused && refused_by_own_firewall(c, bench) != nullptr)
    life.closed_by = ClosedBy::local;
  life.preexisting = c.preexisting;
  life.kernel_heard = c.kernel_heard;
  life.wire_heard = c.wire_heard;
  life.incomplete = c.incomplete;
  if (c.handshake_ns >= 0) life.handshake_ns = c.handshake_ns;
  life.tx_bytes = sent_payload(c);
  life.rx_bytes = received_payload(c);
  life.retransmits = retransmitted_segments(c);
  if (c.wire_heard) {
    const tw_loss_counters loss = c.trouble ? c.trouble->loss : tw_loss_counters{};
    life.retransmits_in = loss.retrans_segs_in;
    life.duplicates_in = loss.copied_segs_in;
    life.out_of_order_in = loss.reordered_segs_in;
    life.out_of_order_out = loss.reordered_segs_out;
  }
  if (c.has_cb() && c.cb.srtt_us != 0) life.srtt_us = c.cb.srtt_us;
  if (c.wire_heard) {
    life.wire = WireTotals{c.wire.bytes_out, c.wire.bytes_in, c.wire.segs_out, c.wire.segs_in, wire_complete(c)};
  }
  if (bench.conversation != nullptr) tell_conversation(life, c, *bench.conversation);
  if (c.ends) life.peer_states.assign(c.ends->peer_states.begin(), c.ends->peer_states.begin() + c.ends->peer_count);
  life.states.assign(c.states.begin(), c.states.begin() + c.state_count);
  life.phases = judge_phases(c, bench, life.ts_ns);
  if (bench.measures != nullptr) life.comparison = compare(c, bench);
  if (bench.peer != nullptr) life.peer = peer_end(*bench.peer);
  if (c.passage()) {
    life.forwarded = forwarded_hops(c, bench);
    life.findings = forwarded_findings(c, bench, life.outcome);
    if (bench.explain) life.explanation = explain_forwarded(c, life);
    return life;
  }
  life.findings = findings_of(c, bench, life.outcome);
  if (bench.explain) {
    life.explanation = explain(c, bench, life);
    if (const std::string waited = waiting_words(life.phases, life.role); !waited.empty())
      life.explanation += " " + waited;
  }
  return life;
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// unanswered.cpp: one segment sent again and again without an acknowledgement: is the path dead, or only for large
// ones?
//
// Both rest on the kernel's retransmissions of the first number that is not acknowledged and on what it knows with each
// of them: when a segment of the peer was last taken, what is out, and what of it the peer has (SACK). A path MTU black
// hole lets small segments pass and no full-size one, so where small ones go unanswered too, or a full-size one has
// ever been acknowledged while nothing else shows that small ones pass, it is none. A path that fails at the very first
// full-size segment looks the same: never more than likely.
#include <algorithm>
#include <cerrno>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t tries_enough = 3;
constexpr std::uint32_t tries_sudden = 5;              // 6 s and more
constexpr std::int64_t idle_ns = 500'000'000;          // more than a retransmission timeout (RFC 6298: 200 ms here)
constexpr std::int64_t forgotten_ns = 60'000'000'000;  // no NAT or firewall forgets a connection sooner (RFC 5382)

// Something between the interface and TCP, or TCP and the interface, is dropped on this machine: not the path.
bool dropped_here(const Connection& c, const RuleContext& context) {
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    switch (drop_kind(context.names, seen.reason)) {
      case DropKind::firewall:
      case DropKind::filter:
      case DropKind::queue:
      case DropKind::neighbour:
      case DropKind::routing:
      case DropKind::memory:
      case DropKind::not_signed:
      case DropKind::few_hops_left:
      case DropKind::bad_checksum:
      case DropKind::too_big:
        return true;
      default:
        break;
    }
  }
  return c.anomalies->retransmissions.refused != 0 || c.anomalies->retransmissions.held_long();
}

bool acknowledged(const Connection& c, const Unanswered& run) {
  return run.passed || (c.has_cb() && seq_before(run.seq, c.cb.snd_una));
}

std::int64_t idle_before(const Unanswered& run) { return run.sent_ns - run.received_before_ns; }

// A segment of the peer was taken behind the first retransmission.
bool peer_goes_on(const Connection& c, const Unanswered& run) {
  return run.received_ns > run.first_ns || (c.teardown && c.teardown->close_wait.ts_ns > run.first_ns);
}

// Meanwhile the peer sent something again: the ACKs of this side, small as they are, do not reach it.
bool peer_repeats(const Connection& c, const Unanswered& run) {
  const EventId first = run.evidence.ids[0];
  return c.anomalies->retransmissions.in.newest() > first || c.anomalies->syn_ack_copy.id > first;
}

// Something of this side, none of it full-size, has reached the peer: its answer shows it.
bool small_ones_passed(const Connection& c, const RuleContext& context) {
  if (!c.opening.established) return false;
  if (c.cb.bytes_acked > 1 || c.cb.bytes_received != 0 || c.role == Role::passive) return true;
  // A peer that misses the handshake's last ACK sends its SYN-ACK again.
  return context.has_wire && c.seen_by.wire && c.syn_ack && !c.anomalies->syn_ack_copy;
}

// No full-size segment of this connection has been acknowledged yet; or few if any, by the average.
bool first_full_ones(const Unanswered& run) { return run.acked_before < run.mss; }
bool mostly_small(const Unanswered& run) { return run.acked_before * 4 < std::uint64_t{run.segs_before} * run.mss; }

// TCP has refused a segment of the peer since then; empty_old: one that is empty and has an old number counts, too.
bool any_refused(const Connection& c, const RuleContext& context, TimeNs since, bool empty_old) {
  return std::ranges::any_of(c.anomalies->drops.seen(), [&](const DropSeen& seen) {
    const DropKind kind = drop_kind(context.names, seen.reason);
    const bool counts = empty_old || kind != DropKind::old_sequence || seen.bytes != 0;
    return !seen.out && seen.last.ts_ns > since && is_refused_by_tcp(kind) && counts;
  });
}

// What TCP refused can have been the answer, but for an empty segment with an old number: a keep-alive or a probe of
// the peer, or one that was overtaken.
bool answer_refused_since(const Connection& c, const RuleContext& context, TimeNs since) {
  return any_refused(c, context, since, false);
}

using Shown = arguments::PathMtuBlackHole::Shown;

// What shows that the path takes small segments while it loses this full-size one. One that got through at its full
// size in the end was lost by chance.
std::optional<Shown> only_large_ones_lost(const Connection& c, const RuleContext& context, const Unanswered& run) {
  const bool full = run.mss != 0 && run.len >= run.mss;
  if (run.tries < tries_enough || !full || run.full_passed) return std::nullopt;
  const bool passed = acknowledged(c, run);
  if (passed) return run.smaller != 0 ? std::optional(Shown::by_smaller_ones) : std::nullopt;
  if (answer_refused_since(c, context, run.first_ns)) return std::nullopt;
  if (run.sacked != 0) return Shown::by_sack;
  if (peer_repeats(c, run)) return std::nullopt;
  if (peer_goes_on(c, run)) return Shown::by_peer;  // and gets our ACKs
  if (run.small_lost) return std::nullopt;
  if (!small_ones_passed(c, context)) return std::nullopt;
  const bool new_size =
      (first_full_ones(run) && idle_before(run) < forgotten_ns) || (mostly_small(run) && idle_before(run) < idle_ns);
  return new_size ? std::optional(Shown::by_what_passed_before) : std::nullopt;
}

// tcp_write_err(): a timer ended it.
bool kernel_gave_up(Outcome outcome) {
  return outcome == Outcome::retransmit_timeout || outcome == Outcome::user_timeout ||
         outcome == Outcome::keepalive_timeout;
}

}  // namespace

bool refused_since(const Connection& c, const RuleContext& context, TimeNs since) {
  return any_refused(c, context, since, true);
}

std::optional<Finding> judge_path_mtu_black_hole(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const bool icmp_came = r.by_kind[static_cast<std::size_t>(RetransmitKind::path_mtu)] != 0;
  if (icmp_came || c.anomalies->too_big || dropped_here(c, context) || (c.has_cb() && c.cb.snd_wnd == 0))
    return std::nullopt;
  const Unanswered* run = &r.current;
  std::optional<Shown> shown = only_large_ones_lost(c, context, *run);
  if (!shown) {
    run = &r.worst;
    shown = only_large_ones_lost(c, context, *run);
  }
  if (!shown) return std::nullopt;
  // Behind a pause the path can have failed meanwhile.
  const bool doubtful =
      shown == Shown::by_what_passed_before && (idle_before(*run) >= idle_ns || !first_full_ones(*run));
  Finding finding;
  finding.rule = Rule::path_mtu_black_hole;
  finding.confidence = doubtful ? Confidence::inconclusive : Confidence::likely;
  cite(finding, run->evidence);
  finding.arguments = arguments::PathMtuBlackHole{
      .length = run->len,
      .tries = run->tries,
      .shown = *shown,
      .first = first_full_ones(*run),
      .idle_ns = idle_before(*run),
      .smaller = run->smaller,
      .smaller_acknowledged = acknowledged(c, *run),
      .probing = run->probing,
  };
  return finding;
}

std::optional<Finding> judge_path_dead(const Connection& c, const RuleContext& context, Outcome outcome) {
  constexpr std::int64_t tick_ns = 20'000'000;  // since_received_ms is in jiffies
  const Unanswered& run = c.anomalies->retransmissions.current;
  if (run.tries < tries_enough || acknowledged(c, run) || dropped_here(c, context)) return std::nullopt;
  if (c.anomalies->rst_in.mark || c.anomalies->reset_received.mark) return std::nullopt;  // that was an answer
  if (refused_since(c, context, run.first_ns)) return std::nullopt;
  const std::int64_t idle = idle_before(run);
  const bool closed = c.teardown && c.teardown->closing.ts_ns > run.first_ns;
  const bool came = run.received_ns > run.received_before_ns + tick_ns || peer_goes_on(c, run) || closed;
  // Without a pause before it an outage of a second is loss like any other.
  const bool gave_up = kernel_gave_up(outcome);
  const bool sudden = run.tries >= tries_sudden || (gave_up && c.error == ETIMEDOUT);
  if (came || (idle < idle_ns && !sudden) || only_large_ones_lost(c, context, run)) return std::nullopt;
  // The first full-size segments of the connection: perhaps the path takes only smaller ones.
  const bool first_large = run.mss != 0 && run.len >= run.mss && first_full_ones(run) && !run.small_lost;
  Finding finding;
  finding.rule = Rule::path_dead;
  finding.confidence = first_large ? Confidence::inconclusive : Confidence::likely;
  cite(finding, run.evidence);
  const TimeNs now = c.ended() ? c.teardown->end.ts_ns : context.now > c.last_ts_ns ? context.now : c.last_ts_ns;
  finding.arguments = arguments::PathDead{
      .silence_ns = now - run.received_ns,
      .idle_ns = idle >= idle_ns ? idle : 0,
      .tries = run.tries,
      .given_up = gave_up,
      .ended = c.ended() && !gave_up,
      .error = c.error,
      .first_large = first_large,
  };
  return finding;
}

}  // namespace tcpwitness

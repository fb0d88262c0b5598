// SPDX-License-Identifier: Apache-2.0
// unanswered.cpp: one segment sent again and again without an acknowledgement: is the path dead, or only for large
// ones?
//
// Both rest on the kernel's retransmissions of the first number that is not acknowledged and, with each, on when a
// segment of the peer was last taken. Silence since before the data: the path, or the peer. A peer that is still
// heard, or that has what was sent behind it: only this segment does not get through.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t tries_enough = 3;

// Something between the interface and TCP, or TCP and the interface, is dropped on this machine: not the path.
bool dropped_here(const Connection& c, const Bench& bench) {
  for (const DropSeen& seen : c.trouble->drops.seen()) {
    switch (drop_kind(bench.names, seen.reason)) {
      case DropKind::firewall:
      case DropKind::filter:
      case DropKind::queue:
      case DropKind::neighbour:
      case DropKind::routing:
      case DropKind::memory:
      case DropKind::bad_checksum:
        return true;
      default:
        break;
    }
  }
  return c.trouble->retransmissions.refused != 0;
}

bool acknowledged(const Connection& c, const Unanswered& run) {
  return run.passed || (c.has_cb() && seq_before(run.seq, c.cb.snd_una));
}

// Full-size, and the peer was there: it was heard behind the first retransmission, or has later segments. One that got
// through at its full size in the end was lost by chance.
bool only_large_ones_lost(const Connection& c, const Unanswered& run) {
  const bool full = run.mss != 0 && run.len >= run.mss;
  if (run.tries < tries_enough || !full || (acknowledged(c, run) && run.smaller == 0)) return false;
  return run.heard_ns > run.first_ns || run.sacked != 0;
}

}  // namespace

std::optional<Finding> judge_path_mtu_black_hole(const Connection& c, const Bench& bench) {
  const Retransmissions& r = c.trouble->retransmissions;
  const bool icmp_came = r.by_kind[static_cast<std::size_t>(RetransmitKind::path_mtu)] != 0;
  if (icmp_came || dropped_here(c, bench) || (c.has_cb() && c.cb.snd_wnd == 0)) return std::nullopt;
  const Unanswered* run = only_large_ones_lost(c, r.current) ? &r.current
                          : only_large_ones_lost(c, r.worst) ? &r.worst
                                                             : nullptr;
  if (run == nullptr) return std::nullopt;
  Finding finding;
  finding.rule = Rule::path_mtu_black_hole;
  finding.confidence = Confidence::likely;
  cite(finding, run->evidence);
  if (!bench.texts) return finding;
  finding.text = fmt::format(
      "a full-size segment ({} bytes) was sent again {} times without an acknowledgement, while {}, and no ICMP "
      "message "
      "said that it is too large",
      run->len, run->tries,
      run->sacked != 0 ? "the peer acknowledged (SACK) what was sent behind it" : "the peer's segments still came in");
  if (run->smaller != 0) {
    finding.text += fmt::format("; the kernel then tried {} bytes{}", run->smaller,
                                acknowledged(c, *run) ? ", and these were acknowledged" : "");
  }
  finding.text += run->probing ? "; the kernel probes for the path's MTU itself (tcp_mtu_probing)"
                               : "; the kernel does not probe for the path's MTU (net.ipv4.tcp_mtu_probing)";
  return finding;
}

std::optional<Finding> judge_path_dead(const Connection& c, const Bench& bench) {
  constexpr std::int64_t idle_ns = 500'000'000;  // more than a retransmission timeout (RFC 6298: 200 ms here)
  constexpr std::int64_t tick_ns = 20'000'000;   // unheard_ms is in jiffies
  const Unanswered& run = c.trouble->retransmissions.current;
  if (run.tries < tries_enough || acknowledged(c, run) || dropped_here(c, bench)) return std::nullopt;
  if (c.trouble->rst_in.mark || c.trouble->reset_received.mark) return std::nullopt;  // that was an answer
  const std::int64_t idle = run.sent_ns - run.heard_before_ns;
  if (run.heard_ns > run.heard_before_ns + tick_ns || idle < idle_ns) return std::nullopt;
  Finding finding;
  finding.rule = Rule::path_dead;
  finding.confidence = Confidence::likely;
  cite(finding, run.evidence);
  if (!bench.texts) return finding;
  const TimeNs now = c.ended() ? c.closing->end.ts_ns : bench.now > c.last_ts_ns ? bench.now : c.last_ts_ns;
  finding.text = fmt::format(
      "nothing has come from the peer for {}: the connection was idle for {}, then what was sent went unanswered "
      "through "
      "{} retransmissions{}",
      seconds(now - run.heard_ns), seconds(idle), run.tries,
      c.ended() ? fmt::format(", until the kernel gave up ({})", error_name(c.error)) : "; the kernel still tries");
  return finding;
}

}  // namespace tcpwitness

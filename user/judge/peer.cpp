// SPDX-License-Identifier: Apache-2.0
// peer.cpp: what the other end of a connection did, where the same run follows both of them: over loopback, or between
// two namespaces.
//
// That it is the other end is settled before (Witness::Impl::other_end): the address pair turned round, and both
// initial sequence numbers. So what its own socket says of its end is no guess.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string amount(std::uint32_t bytes) {
  if (bytes < 1024) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  if (bytes < 1024 * 1024) return fmt::format("{:.3g} KiB", bytes / 1024.0);
  return fmt::format("{:.3g} MiB", bytes / 1048576.0);
}

Outcome outcome_of(const Connection& peer, const Bench& bench) {
  return peer.told ? peer.told_as : judge_outcome(peer, bench);
}

}  // namespace

PeerEnd peer_end(const Connection& peer) {
  const Process process = peer.owner.process();
  return {peer.id, process.pid, process.comm};
}

bool peer_sent_reset(const Connection& peer, const Bench& bench) {
  const Outcome outcome = outcome_of(peer, bench);
  return outcome == Outcome::reset_by_local || outcome == Outcome::aborted || outcome == Outcome::keepalive_timeout;
}

std::string peer_reset_words(const Connection& peer, const Bench& bench) {
  const Outcome outcome = outcome_of(peer, bench);
  const std::string who = peer.owner.pid != 0 ? fmt::format("{}[{}]", peer.owner.process().comm, peer.owner.pid)
                                              : fmt::format("the other end (connection {})", peer.id);
  if (outcome == Outcome::keepalive_timeout) return fmt::format("RST by the kernel of {}: its keep-alive gave up", who);
  const std::string verb = outcome == Outcome::aborted ? "died" : "closed";
  if (!peer.has_cb() || !unread_data(peer.cb)) return fmt::format("RST by {}", who);
  const std::uint32_t fin = (peer.cb.flags & TW_CB_DONE) != 0 ? 1 : 0;
  return fmt::format("RST by {}: {} with {} unread", who, verb, amount(peer.cb.rcv_nxt - fin - peer.cb.copied_seq));
}

}  // namespace tcpwitness

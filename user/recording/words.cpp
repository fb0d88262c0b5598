// SPDX-License-Identifier: Apache-2.0
#include "recording/words.hpp"

#include <fmt/format.h>

#include "facts/owner.hpp"
#include "tcpwitness/gap.hpp"
#include "tcpwitness/tcp.hpp"
#include "values/words.hpp"

namespace tcpwitness {
namespace {

std::string who(const Process& process) {
  return process.pid != 0 ? fmt::format("{}({}) ", process.comm, process.pid) : "";
}

template <typename Record>
EventWords begin(std::string_view kind, const Record& record) {
  return {.kind = kind, .message = {}, .process = {}, .flow = to_flow(record.tuple)};
}

EventWords words_of(const StateChange& change, const Names& /*names*/) {
  EventWords words = begin("state", change);
  words.process = acting_process(change, PidSource::unknown).process();
  words.message = fmt::format("{}{} → {} {}", who(words.process), name(change.old_state), name(change.new_state),
                              ends_of(words.flow));
  return words;
}

EventWords words_of(const Segment& segment, const Names& names) {
  EventWords words = begin("segment", segment);
  const bool out = segment.outgoing();
  words.message =
      fmt::format("segment {} {} seq {} ack {} len {} {}", out ? "out of" : "in from", names.interface(segment.ifindex),
                  segment.seq, segment.ack, segment.len, ends_of(words.flow));
  return words;
}

EventWords words_of(const Retransmit& again, const Names& /*names*/) {
  EventWords words = begin("retransmit", again);
  words.message = again.synack != 0 ? fmt::format("kernel retransmits its SYN-ACK {}", ends_of(words.flow))
                                    : fmt::format("kernel retransmits seq {} to {} {}", again.seq, again.end_seq,
                                                  ends_of(words.flow));
  return words;
}

EventWords words_of(const Reset& reset, const Names& names) {
  EventWords words = begin("reset", reset);
  const std::string reason =
      reset.reason == reset_reason_unknown ? "" : fmt::format(" ({})", names.reset_reason(reset.reason));
  words.message = fmt::format("kernel {} a RST{} {}", reset.direction == ResetDirection::sent ? "sends" : "took",
                              reason, ends_of(words.flow));
  return words;
}

EventWords words_of(const SocketError& error, const Names& /*names*/) {
  EventWords words = begin("error", error);
  words.message = error.cb.sk_err != 0
                      ? fmt::format("the process will get {} {}", errno_name(error.cb.sk_err), ends_of(words.flow))
                      : fmt::format("{} {}",
                                    error.icmp_errno != 0 ? "an ICMP message is on the error queue"
                                                          : "the socket has something for its process",
                                    ends_of(words.flow));
  return words;
}

EventWords words_of(const Drop& drop, const Names& names) {
  EventWords words = begin("drop", drop);
  words.message = fmt::format("{}: a segment was dropped {} {}", names.drop_reason(drop.reason),
                              drop.outgoing != 0 ? "before it left" : "on arrival", ends_of(words.flow));
  return words;
}

EventWords words_of(const SocketDestroyed& destroyed, const Names& /*names*/) {
  EventWords words = begin("destroy", destroyed);
  words.message = fmt::format("socket freed {}", ends_of(words.flow));
  return words;
}

EventWords words_of(const OwnerSeen& owner, const Names& /*names*/) {
  EventWords words = begin("owner", owner);
  words.process = seen_process(owner).process();
  const std::string_view does = owner.source == OwnerSource::send      ? "sends on"
                                : owner.source == OwnerSource::receive ? "receives on"
                                                                       : "has open";
  words.message = fmt::format("{}{} {}", who(words.process), does, ends_of(words.flow));
  return words;
}

EventWords words_of(const SocketFound& found, const Names& /*names*/) {
  EventWords words = begin("socket", found);
  if (found.type == SocketKind::none) {
    words.message = "all sockets were looked at";
    return words;
  }
  words.message = fmt::format("open socket: {} {}", name(found.cb.state), ends_of(words.flow));
  return words;
}

EventWords words_of(const Sample& sample, const Names& /*names*/) {
  EventWords words = begin("sample", sample);
  // In SYN_SENT there is no round-trip time yet.
  if (sample.srtt_us != 0) words.message = fmt::format("srtt {} us, ", sample.srtt_us);
  words.message += fmt::format("cwnd {}, {} bytes in flight {}", sample.snd_cwnd, sample.snd_nxt - sample.snd_una,
                               ends_of(words.flow));
  return words;
}

EventWords words_of(const PortsFound& found, const Names& /*names*/) {
  EventWords words = begin("ports", found);
  words.message =
      fmt::format("local ports {}-{} to {}: {} in TIME_WAIT, {} open, {} listening", found.first_port, found.last_port,
                  to_string(words.flow.remote), found.time_wait, found.open, found.listening);
  return words;
}

EventWords words_of(const Translation& translation, const Names& /*names*/) {
  EventWords words = begin("translation", translation);
  words.message = fmt::format("NAT: on the wire {} {}", ends_of(to_flow(translation.wire)), ends_of(words.flow));
  return words;
}

EventWords words_of(const IcmpSeen& seen, const Names& /*names*/) {
  EventWords words = begin("icmp", seen);
  words.message = fmt::format("{} (ICMP{} type {}, code {}) {}", name(icmp_message(seen)), seen.v6 != 0 ? "v6" : "",
                              seen.type, seen.code, ends_of(words.flow));
  return words;
}

// A recording has the events themselves.
EventWords words_of(const SocketDigest& /*digest*/, const Names& /*names*/) { return {}; }
EventWords words_of(const Gap& /*gap*/, const Names& /*names*/) { return {}; }
EventWords words_of(const ConversationEnd& /*end*/, const Names& /*names*/) { return {}; }

}  // namespace

std::string ends_of(const Flow& flow) {
  if (flow.remote.port == 0) return to_string(flow.local);
  return fmt::format("{} ↔ {}", to_string(flow.local), to_string(flow.remote));
}

EventWords words_of(const Event& event, const Names& names) {
  return std::visit([&](const auto& body) { return words_of(body, names); }, event.body);
}

std::string words_of(const Finding& finding) {
  return fmt::format("{} ({}): {}", name(finding.rule), name(finding.confidence), sentence(finding));
}

std::string words_of(const FindingReport& report) {
  return fmt::format("finding {} {}", words_of(report.finding), ends_of(report.flow));
}

std::string words_of(const Life& life) {
  std::string text = fmt::format("{}connection {}", who(life.process), name(life.outcome));
  if (life.error) text += fmt::format(" ({})", errno_name(*life.error));
  return text + fmt::format(": {} bytes sent, {} received {}", life.tx_bytes, life.rx_bytes, ends_of(life.flow));
}

std::string words_of(const Flow& flow, const StateEntry& state) {
  return fmt::format("{}{} → {} (inferred) {}", who(state.process), name(state.from), name(state.to), ends_of(flow));
}

std::string words_of(const GapReport& gap) {
  if (cause_of(gap.gap) == GapCause::untraced) return "segments may be missing here: an interface was not traced";
  if (gap.gap.skipped()) return fmt::format("{} events were lost here: the kernel skipped them", gap.gap.lost);
  return fmt::format("{} events were lost here: the ring was full (CPU {})", gap.gap.lost, gap.gap.cpu);
}

}  // namespace tcpwitness

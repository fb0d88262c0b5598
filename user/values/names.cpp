// SPDX-License-Identifier: Apache-2.0
// names.cpp: the words that outputs use for roles, causes, confidence and the running kernel's reasons. Those of rules
// and outcomes are in judge/catalogue.hpp.
//
// These words are a contract (docs/design.md, "What may change"): scripts match on them. A number outside its enum
// gives the first word of the table, never a crash.
#include <array>
#include <string>

#include "tcpwitness/arguments.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/finding.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {
namespace {

template <typename Enum, std::size_t count>
std::string_view word(const std::array<std::string_view, count>& words, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < count ? words[index] : words[0];
}

}  // namespace

std::string_view name(Role role) {
  static constexpr std::array<std::string_view, 3> words = {"unknown", "active", "passive"};
  return word(words, role);
}

std::string_view name(ClosedBy closed_by) {
  static constexpr std::array<std::string_view, 4> words = {"none", "local", "peer", "both"};
  return word(words, closed_by);
}

std::string_view name(RetransmitKind kind) {
  static constexpr std::array<std::string_view, retransmit_kind_count> words = {
      "SYN", "SYN-ACK", "fast", "RTO", "zero-window RTO", "loss recovery", "tail-loss probe", "path MTU", "unknown"};
  return word(words, kind);
}

std::string_view name(PidSource source) {
  static constexpr std::array<std::string_view, 8> words = {"unknown", "connect", "accept", "listen",
                                                            "send",    "receive", "close",  "snapshot"};
  return word(words, source);
}

std::string_view name(ResetOrigin origin) {
  static constexpr std::array<std::string_view, reset_origin_count> words = {"process", "kernel", "firewall", "peer",
                                                                             "outsider"};
  return word(words, origin);
}

std::string_view name(Confidence confidence) {
  static constexpr std::array<std::string_view, 3> words = {"inconclusive", "likely", "certain"};
  return word(words, confidence);
}

std::string_view name(Cause::Kind kind) {
  static constexpr std::array<std::string_view, 6> words = {"unknown", "segment", "call", "timer", "icmp", "reset"};
  return word(words, kind);
}

std::string Names::reset_reason(std::uint32_t number) const {
  if (number < reset_reasons.size() && !reset_reasons[number].empty()) return reset_reasons[number];
  return "reason " + std::to_string(number);
}

// include/net/dropreason.h: the upper 16 bits name the subsystem, 0 is the network core.
std::string Names::drop_reason(std::uint32_t number) const {
  if (number < drop_reasons.size() && !drop_reasons[number].empty()) return drop_reasons[number];
  const std::uint32_t subsystem = number >> 16U;
  const std::string reason = "reason " + std::to_string(number & 0xffffU);
  return subsystem == 0 ? reason : "subsystem " + std::to_string(subsystem) + ", " + reason;
}

std::string Names::interface(std::uint32_t index) const {
  const auto found = interfaces.find(index);
  return found != interfaces.end() ? found->second : "if" + std::to_string(index);
}

}  // namespace tcpwitness

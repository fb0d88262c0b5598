// SPDX-License-Identifier: Apache-2.0
// rules.hpp: the rules of a connection that begins or ends here, in the order in which its findings are listed.
//
// Each is one function of the facts; nullopt: it finds nothing. Those of a connection that passes through are in
// forwarded.cpp, those of no connection in strays.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "facts/connection.hpp"
#include "facts/rules.hpp"
#include "tcpwitness/finding.hpp"

namespace tcpwitness {

using JudgeRule = std::optional<Finding>(const Connection& c, const RuleContext& context, Outcome outcome);

JudgeRule judge_slow_handshake;           // slow.cpp
JudgeRule judge_port_exhaustion;          // port_exhaustion.cpp
JudgeRule judge_peer_not_closing;         // peer_not_closing.cpp
JudgeRule judge_write_after_peer_closed;  // write_after_peer_closed.cpp
JudgeRule judge_retransmission;           // retransmission.cpp
JudgeRule judge_retransmission_in_vain;   // retransmission.cpp
JudgeRule judge_retransmission_in;        // retransmission.cpp
JudgeRule judge_path_mtu_black_hole;      // unanswered.cpp
JudgeRule judge_path_dead;                // unanswered.cpp
JudgeRule judge_delayed_ack_stall;        // delayed_ack_stall.cpp
JudgeRule judge_keepalive;                // keepalive.cpp
JudgeRule judge_zero_window;              // zero_window.cpp
JudgeRule judge_reset_origin;             // reset_origin.cpp
JudgeRule judge_half_open;                // half_open.cpp
JudgeRule judge_rx_dropped;               // drops.cpp
JudgeRule judge_tx_not_sent;              // drops.cpp
JudgeRule judge_bad_checksum;             // drops.cpp
JudgeRule judge_out_of_window;            // drops.cpp
JudgeRule judge_old_timestamp;            // drops.cpp
JudgeRule judge_accept_queue_full;        // listener.cpp
JudgeRule judge_syn_backlog_full;         // listener.cpp
JudgeRule judge_syncookie;                // listener.cpp
JudgeRule judge_slow_accept;              // slow.cpp
JudgeRule judge_late;                     // slow.cpp
JudgeRule judge_close_wait_stuck;         // close_wait_stuck.cpp
JudgeRule judge_time_wait;                // time_wait.cpp
JudgeRule judge_bytes_disagree;           // bytes_disagree.cpp

// Facts without which a rule is not asked: a healthy connection that goes on has none of them.
enum class Needs : std::uint8_t { nothing, trouble, anomalies, teardown };

[[nodiscard]] inline bool has_facts(const Connection& c, Needs needs) {
  switch (needs) {
    case Needs::anomalies:
      return c.anomalies != nullptr;
    case Needs::teardown:
      return c.teardown != nullptr;
    case Needs::trouble:
      return c.anomalies != nullptr || c.teardown != nullptr;
    case Needs::nothing:
      break;
  }
  return true;
}

struct ConnectionRule {
  Rule rule{};
  Needs needs{};
  JudgeRule* judge = nullptr;
};

inline constexpr auto connection_rules = std::to_array<ConnectionRule>({
    {Rule::slow_handshake, Needs::nothing, judge_slow_handshake},
    {Rule::port_exhaustion, Needs::trouble, judge_port_exhaustion},
    {Rule::peer_not_closing, Needs::trouble, judge_peer_not_closing},
    {Rule::write_after_peer_closed, Needs::trouble, judge_write_after_peer_closed},
    {Rule::retransmission, Needs::anomalies, judge_retransmission},
    {Rule::retransmission, Needs::anomalies, judge_retransmission_in_vain},
    {Rule::retransmission, Needs::anomalies, judge_retransmission_in},
    {Rule::path_mtu_black_hole, Needs::anomalies, judge_path_mtu_black_hole},
    {Rule::path_dead, Needs::anomalies, judge_path_dead},
    {Rule::delayed_ack_stall, Needs::anomalies, judge_delayed_ack_stall},
    {Rule::keepalive, Needs::anomalies, judge_keepalive},
    {Rule::zero_window, Needs::anomalies, judge_zero_window},
    {Rule::reset_origin, Needs::anomalies, judge_reset_origin},
    {Rule::half_open, Needs::anomalies, judge_half_open},
    {Rule::rx_dropped, Needs::anomalies, judge_rx_dropped},
    {Rule::tx_not_sent, Needs::anomalies, judge_tx_not_sent},
    {Rule::bad_checksum, Needs::anomalies, judge_bad_checksum},
    {Rule::out_of_window, Needs::anomalies, judge_out_of_window},
    {Rule::old_timestamp, Needs::anomalies, judge_old_timestamp},
    {Rule::accept_queue_full, Needs::anomalies, judge_accept_queue_full},
    {Rule::syn_backlog_full, Needs::anomalies, judge_syn_backlog_full},
    {Rule::syncookie, Needs::anomalies, judge_syncookie},
    {Rule::slow_accept, Needs::anomalies, judge_slow_accept},
    {Rule::late, Needs::anomalies, judge_late},
    {Rule::close_wait_stuck, Needs::teardown, judge_close_wait_stuck},
    {Rule::time_wait, Needs::teardown, judge_time_wait},
    {Rule::bytes_disagree, Needs::teardown, judge_bytes_disagree},
});

// Those of a connection without anomalies, in the same order: no other one would be asked.
inline constexpr auto rules_without_anomalies = [] {
  constexpr auto fits = [](const ConnectionRule& each) { return each.needs != Needs::anomalies; };
  std::array<ConnectionRule, std::ranges::count_if(connection_rules, fits)> rules{};
  std::ranges::copy_if(connection_rules, rules.begin(), fits);
  return rules;
}();

}  // namespace tcpwitness

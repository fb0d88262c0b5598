// SPDX-License-Identifier: Apache-2.0
//
// The courses that most connections share, in Printed's words: how they open, and how each end closes. `sent` and
// `got` are the bytes of payload this side sent and received, so that a FIN's numbers follow from them: SYN took
// sequence number 0, and FIN takes one too.

#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/abilities.hpp"
#include "live/situation.hpp"

namespace tcpwitness::live {

inline Words operator+(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Of the client, and of the server.
inline Words client_opens() { return {"CLOSE > SYN_SENT: connect", "SYN_SENT > ESTABLISHED: in SYN,ACK 0 1"}; }
inline Words server_opens(const std::string& last = "ACK 1 1") {
  const char* const how = new_connection_has_its_peer() ? "" : " (inferred)";
  return {"LISTEN > NEW_SYN_RECV: in SYN 0 - (inferred)", fmt::format("LISTEN > SYN_RECV: in {}{}", last, how),
          fmt::format("SYN_RECV > ESTABLISHED: in {}", last)};
}

inline Words closes_first_four(uint64_t sent, uint64_t got, const std::string& call = "close") {
  return {fmt::format("ESTABLISHED > FIN_WAIT1: {}", call),
          fmt::format("FIN_WAIT1 > FIN_WAIT2: in ACK {} {}", got + 1, sent + 2),
          fmt::format("FIN_WAIT2 > TIME_WAIT: in FIN,ACK {} {} (inferred)", got + 1, sent + 2)};
}
inline Words closes_first_three(uint64_t sent, uint64_t got, const std::string& call = "close") {
  return {fmt::format("ESTABLISHED > FIN_WAIT1: {}", call),
          fmt::format("FIN_WAIT1 > FIN_WAIT2: in FIN,ACK {} {}", got + 1, sent + 2),
          fmt::format("FIN_WAIT2 > TIME_WAIT: in FIN,ACK {} {} (inferred)", got + 1, sent + 2)};
}
inline Words closes_second(uint64_t sent, uint64_t got) {
  return {fmt::format("ESTABLISHED > CLOSE_WAIT: in FIN,ACK {} {}", got + 1, sent + 1), "CLOSE_WAIT > LAST_ACK: close",
          fmt::format("LAST_ACK > CLOSE: in ACK {} {}", got + 2, sent + 2)};
}

// Where it depends on the machine's load whether the other side closes within the delayed-ACK time.
inline void expect_either(const Words& got, const Words& one, const Words& other) {
  if (got != other) {
    EXPECT_EQ(got, one);
  }
}

inline const Words active_states{"SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"};
inline const Words passive_states{"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"};

// The lives of the two ends of a connection that the client closed first and both closed in order.
inline Expected client_completes(const lab::Played& played) {
  return {.role = "active",
          .process = played.client,
          .pid_source = "connect",
          .outcome = "completed",
          .closed_by = "local",
          .states = active_states,
          .tx_bytes = played.client_bytes,
          .rx_bytes = played.server_bytes,
          .findings = {"time-wait"}};
}
inline Expected server_completes(const lab::Played& played) {
  return {.role = "passive",
          .process = played.server,
          .pid_source = "receive",
          .outcome = "completed",
          .closed_by = "peer",
          .states = passive_states,
          .tx_bytes = played.server_bytes,
          .rx_bytes = played.client_bytes};
}

// Both ends of such a connection, transitions and segments included.
inline void expect_client_closed_first(const Story& story, const Expected& client, const Expected& server) {
  const uint64_t up = story.played.client_bytes;
  const uint64_t down = story.played.server_bytes;
  const Json mine = story.client_life();
  const Json theirs = story.server_life();
  expect_life(story.client, mine, client);
  expect_life(story.server, theirs, server);
  if (mine.empty() || theirs.empty()) return;
  expect_either(story.client.transitions(mine["conn"]), client_opens() + closes_first_three(up, down),
                client_opens() + closes_first_four(up, down));
  EXPECT_EQ(story.server.transitions(theirs["conn"]), server_opens() + closes_second(down, up));
  EXPECT_EQ(story.client.control_segments(mine["conn"]),
            (Words{"out SYN 0 -", "in SYN,ACK 0 1", fmt::format("out FIN,ACK {} {}", up + 1, down + 1),
                   fmt::format("in FIN,ACK {} {}", down + 1, up + 2)}));
  EXPECT_EQ(story.server.control_segments(theirs["conn"]),
            (Words{"in SYN 0 -", "out SYN,ACK 0 1", fmt::format("in FIN,ACK {} {}", up + 1, down + 1),
                   fmt::format("out FIN,ACK {} {}", down + 1, up + 2)}));
  EXPECT_EQ(story.client.of("life").size(), 1u);
  EXPECT_EQ(story.server.of("life").size(), 1u);
  EXPECT_GT(mine.value("handshake_ns", int64_t{0}), 0);
  EXPECT_GT(theirs.value("handshake_ns", int64_t{0}), 0);
}

}  // namespace tcpwitness::live

// SPDX-License-Identifier: Apache-2.0
//
// Segments that the server's TCP does not accept, and some that look odd and are accepted. The client is a scripted
// host; in each case the conversation goes on and ends in order.

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

// The host sends `text` at `seq`, the server reads it, and its kernel acknowledges it. Returns the next seq.
uint32_t says(Script& s, ScriptedHost& host, uint32_t seq, std::string_view text) {
  host.say("PA", seq, 1, text);
  const auto size = static_cast<uint32_t>(text.size());
  s.server().receive(s.connection.server, size).ok(size);
  s.played.client_bytes += size;
  const Segment ack = host.hear("A");
  s.require(ack.ack == seq + size, "the server's kernel acknowledged it");
  return seq + size;
}

void host_closes(Script& s, ScriptedHost& host, uint32_t seq) {
  host.say("FA", seq, 1);
  host.hear("A");
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();
  host.hear("FA");
  host.say("A", seq + 1, 2);
  s.played.closed_first = Closer::client;
  s.await_state(Side::server, "gone");
}

}  // namespace

void bad_checksum(Script& s) {
  ScriptedHost host = s.scripted_client(40011);
  host.say("PA", 1, 1, "damaged\n", {.damaged = true});  // > PA, no answer
  s.pause(Millis(50));
  host_closes(s, host, says(s, host, 1, "as it was meant\n"));
}

void out_of_window(Script& s) {
  ScriptedHost host = s.scripted_client(40012);
  host.say("PA", 2'000'000, 1, "from far ahead\n");  // > PA   < A of what is really expected
  const Segment answer = host.hear("A");
  s.require(answer.ack == 1, "the server still expects the first byte");
  host_closes(s, host, says(s, host, 1, "as expected\n"));
}

void old_timestamp(Script& s) {
  ScriptedHost host = s.scripted_client(40013, true);
  const uint32_t next = says(s, host, 1, "first\n");
  host.say("PA", next, 1, "from long ago\n", {.older_by = 1000});  // > PA   < A
  const Segment answer = host.hear_again("A");
  s.require(answer.ack == next, "the old segment was not taken");
  host_closes(s, host, says(s, host, next, "of today\n"));
}

void old_data(Script& s) {
  ScriptedHost host = s.scripted_client(40014);
  const std::string_view text = "said once\n";
  const uint32_t next = says(s, host, 1, text);
  host.say("PA", 1, 1, text);  // > PA again   < A
  const Segment answer = host.hear_again("A");
  s.require(answer.ack == next, "it had been received");
  host_closes(s, host, next);
}

void out_of_order(Script& s) {
  ScriptedHost host = s.scripted_client(40015);
  // At once: what comes only behind the duplicate ACK is a retransmission for all that the packets show.
  host.say("PA", 7, 1, "world\n");  // > PA: the second half first   < A of nothing
  host.say("PA", 1, 1, "hello ");   // > PA   < A of both
  const Segment gap = host.hear("A");
  s.require(gap.ack == 1, "the first half is missing");
  const Segment both = host.hear("A");
  s.require(both.ack == 13, "both halves are acknowledged");
  s.server().receive(s.connection.server, 12).ok(12);
  s.played.client_bytes = 12;
  host_closes(s, host, 13);
}

void blind_reset(Script& s) {
  ScriptedHost host = s.scripted_client(40016);
  host.say("R", 1000, 0);  // in the window, but not where it must be   < A: a challenge
  const Segment challenge = host.hear("A");
  s.require(challenge.ack == 1, "the challenge tells what is expected");
  s.await_state(Side::server, "ESTABLISHED");
  host_closes(s, host, says(s, host, 1, "still here\n"));
}

}  // namespace tcpwitness::lab::cases

// SPDX-License-Identifier: Apache-2.0
//
// A path that carries nothing any more, one that carries small segments only, and two kernels that wait for each
// other. Segments are lost at the server's input, so the client's interface saw them leave.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

// A header and a body in two writes, then the answer: how many clients ask.
void ask_in_two_writes(Script& s, int times) {
  const std::string_view header = "length: 5\n";
  const std::string_view body = "hello";
  const auto size = static_cast<int64_t>(header.size() + body.size());
  for (int i = 0; i < times; ++i) {
    s.client().send(s.connection.client, header).ok();
    s.client().send(s.connection.client, body).ok();  // held back until the header is acknowledged
    s.server().receive(s.connection.server, static_cast<uint64_t>(size)).ok(size);
    s.played.client_bytes += static_cast<uint64_t>(size);
    s.server_sends("done\n");
  }
}

}  // namespace

void path_dead(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_retries2", "4");
  s.establish();
  s.exchange();
  s.pause(Millis(3000));
  s.drop(Side::server, Hook::input);
  s.client().send(s.connection.client, "anybody there?\n").ok();
  s.client_fails(s.client().receive(s.connection.client, 1, Millis(20000)), ETIMEDOUT);
}

void path_mtu_black_hole(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_retries2", "4");
  s.establish();
  s.exchange();
  s.drop(Side::server, Hook::input, "meta length > 1000");
  s.client().send_bytes(s.connection.client, 4000).ok();  // > nothing of it arrives, and no ICMP message says why
  for (int i = 0; i < 4; ++i) {
    s.pause(Millis(800));
    s.server_sends("still here\n");
  }
  s.require(s.dropped(Side::server) >= 4, "the same segment was lost again and again");
  s.client_fails(s.client().receive(s.connection.client, 1, Millis(20000)), ETIMEDOUT);
}

void delayed_ack_stall(Script& s) {
  s.establish();
  s.exchange();
  ask_in_two_writes(s, 8);
  s.fact("delayed_acks", s.counted(Side::server, "DelayedACKs"));
  s.close_both();
}

void delayed_ack_nodelay(Script& s) {
  s.establish();
  s.client().set(s.connection.client, IPPROTO_TCP, TCP_NODELAY, 1).ok();
  s.exchange();
  ask_in_two_writes(s, 8);
  s.close_both();
}

}  // namespace tcpwitness::lab::cases

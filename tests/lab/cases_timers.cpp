// SPDX-License-Identifier: Apache-2.0
//
// What a kernel does by itself while nothing arrives: keep-alive, zero-window probes, retransmission, and the ends
// of its patience. The server goes deaf at its own input, so the client's side of the cable stays undisturbed.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

void keepalive_every_second(Script& s) {
  const int fd = s.connection.client;
  s.client().set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1).ok();
  s.client().set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1).ok();
  s.client().set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3).ok();
  s.client().set(fd, SOL_SOCKET, SO_KEEPALIVE, 1).ok();
  s.fact("keepalive", "idle 1 s, interval 1 s, count 3");
}

// The client waits for an answer until its kernel gives up; nothing of it reaches the server.
void client_gives_up(Script& s, Millis patience) {
  const auto start = Clock::now();
  s.client_fails(s.client().drain(s.connection.client, patience), ETIMEDOUT);
  s.fact("waited_ms", milliseconds_since(start));
  s.fact("unanswered_segments", s.dropped(Side::server));
  s.await_state(Side::client, "gone");
  s.await_state(Side::server, "ESTABLISHED");  // half open
  s.client().close(s.connection.client).ok();
}

void client_asks_in_vain(Script& s) {
  const std::string_view question = "are you still there?\n";
  s.client().send(s.connection.client, question).ok();  // > PA, no answer
  s.played.client_bytes += question.size();
}

}  // namespace

void keepalive_answered(Script& s) {
  s.establish();
  keepalive_every_second(s);
  s.exchange();
  s.await_counted(Side::client, "TCPKeepAlive", 3);  // > A at snd_una - 1, < A: once a second
  s.pause(Millis(400));
  s.fact("keepalive_probes", s.counted(Side::client, "TCPKeepAlive"));
  s.require(s.counted(Side::client, "TCPKeepAlive") == 3, "three keep-alives were sent");
  s.client().close(s.connection.client).ok();
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
}

void keepalive_death(Script& s) {
  s.establish();
  keepalive_every_second(s);
  s.exchange();
  s.pause(Millis(100));  // the last ACK is through
  s.drop(Side::server, Hook::input);
  client_gives_up(s, Millis(10000));  // > A at snd_una - 1 three times, > RA
  s.fact("keepalive_probes", s.counted(Side::client, "TCPKeepAlive"));
  s.require(s.counted(Side::client, "TCPKeepAlive") == 3, "three keep-alives were sent");
}

void keepalive_user_timeout(Script& s) {
  s.establish();
  keepalive_every_second(s);
  s.client().set(s.connection.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500).ok();
  s.exchange();
  s.pause(Millis(100));
  s.drop(Side::server, Hook::input);
  s.fact("user_timeout_ms", 1500);
  client_gives_up(s, Millis(10000));  // > A at snd_una - 1, > RA before the third
}

void keepalive_revived(Script& s) {
  s.establish();
  keepalive_every_second(s);
  s.exchange();
  s.pause(Millis(100));
  s.drop(Side::server, Hook::input, "limit rate 2/hour burst 2 packets");
  s.await_counted(Side::client, "TCPKeepAlive", 3);  // > A at snd_una - 1: twice no answer, then < A
  s.pause(Millis(200));
  s.require(s.dropped(Side::server) == 2, "two keep-alives were lost");
  s.fact("keepalive_probes", s.counted(Side::client, "TCPKeepAlive"));
  s.client().close(s.connection.client).ok();
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
}

void probe_timeout(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_early_retrans", "0");
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  s.server().set(listener, SOL_SOCKET, SO_RCVBUF, 8192).ok();
  const int fd = s.client_socket(at);
  s.client().set(fd, SOL_SOCKET, SO_SNDBUF, 64 << 10).ok();
  s.client().set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500).ok();
  s.meet(listener, fd, at);
  s.played.client_bytes = static_cast<uint64_t>(s.client().fill(fd).ok());  // < A win 0
  s.drop(Side::server, Hook::input);                                        // > A at snd_una - 1, no answer any more
  s.fact("user_timeout_ms", 1500);
  client_gives_up(s, Millis(10000));
}

void zero_window(Script& s) {
  // Or the tail-loss probe would not wait for the delayed ACK, and retransmit what was never lost.
  s.set_sysctl(Side::client, "net.ipv4.tcp_early_retrans", "0");
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  s.server().set(listener, SOL_SOCKET, SO_RCVBUF, 8192).ok();  // inherited by what it accepts
  const int fd = s.client_socket(at);
  s.client().set(fd, SOL_SOCKET, SO_SNDBUF, 64 << 10).ok();
  s.meet(listener, fd, at);

  s.played.client_bytes = static_cast<uint64_t>(s.client().fill(fd).ok());  // < A win 0
  const auto start = Clock::now();
  s.pause(s.options().hold);  // > A at snd_una - 1, < A win 0: at growing distances
  s.require(s.counted(Side::client, "TCPWinProbe") > 0, "the client probed the closed window");
  s.server().begin_drain(s.connection.server, Millis(5000));  // < A win > 0, and all that waited
  s.fact("unread_for_ms", milliseconds_since(start));
  s.client().close(fd).ok();
  s.server().end_drain().ok(static_cast<int64_t>(s.played.client_bytes));
  s.fact("window_probes", s.counted(Side::client, "TCPWinProbe"));
  s.server().close(s.connection.server).ok();
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
}

void retransmit_timeout(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_retries2", "3");
  s.establish();
  s.exchange();
  s.pause(Millis(100));
  s.drop(Side::server, Hook::input);
  client_asks_in_vain(s);
  client_gives_up(s, Millis(12000));  // > PA again and again, then nothing
}

void user_timeout(Script& s) {
  s.establish();
  s.client().set(s.connection.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 2000).ok();
  s.exchange();
  s.pause(Millis(100));
  s.drop(Side::server, Hook::input);
  client_asks_in_vain(s);
  s.fact("user_timeout_ms", 2000);
  client_gives_up(s, Millis(12000));
}

}  // namespace tcpwitness::lab::cases

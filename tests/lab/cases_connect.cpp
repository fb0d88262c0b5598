// SPDX-License-Identifier: Apache-2.0
//
// Getting connected, or not: no server, the handshake as it should be, segments that belong to nothing, and a
// server that cannot take more.

#include <sys/socket.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {

void refused(Script& s) {
  const Endpoint nobody{server_ip, closed_port};
  const int fd = s.client_socket(nobody);
  const Call attempt = s.client().connect(fd, nobody);  // > S   < RA
  s.client_fails(attempt, ECONNREFUSED);
  s.played.client_at = attempt.local();
  s.played.server_at = nobody;
  s.client().close(fd).ok();
}

void no_answer(Script& s) {
  const Endpoint nowhere{server_ip, service_port};
  s.set_sysctl(Side::client, "net.ipv4.tcp_syn_retries", "2");
  // Since Linux 6.5 the first retries are a second apart each; without that the gaps double: 1 s, 2 s, 4 s.
  s.set_sysctl(Side::client, "net.ipv4.tcp_syn_linear_timeouts", "0", false);
  s.drop(Side::server, Hook::input);
  const int fd = s.client_socket(nowhere);
  const auto start = Clock::now();
  const Call attempt = s.client().connect(fd, nowhere, Millis(0));  // > S, no answer
  attempt.fails_with(EINPROGRESS);
  s.played.client_at = attempt.local();
  s.played.server_at = nowhere;
  s.await_state(Side::client, "SYN_SENT");
  s.client_fails(s.client().connected(fd, Millis(12000)), ETIMEDOUT);  // > S after 1 s, > S after 3 s, over after 7 s
  s.fact("connect_ms", milliseconds_since(start));
  s.fact("syns", s.dropped(Side::server));
  s.require(s.dropped(Side::server) == 3, "three SYNs were sent");
  s.client().close(fd).ok();
}

void handshake(Script& s) {
  s.establish();  // > S   < SA   > A
  s.await_state(Side::client, "ESTABLISHED");
  s.await_state(Side::server, "ESTABLISHED");
  s.exchange();                                 // > PA   < PA
  s.client().close(s.connection.client).ok();   // > FA
  s.server().drain(s.connection.server).ok(0);  // reads end of stream
  s.server().close(s.connection.server).ok();   // < FA   > A
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
  s.await_state(Side::server, "gone");
}

void stray(Script& s) {
  s.played.server_at = {server_ip, closed_port};
  ScriptedHost host = s.scripted_host(Side::client, 40001);
  s.played.client_at = host.at();
  host.talk_to(s.played.server_at);

  host.say("A", 1, 5000);  // an ACK for a connection nobody remembers
  const Segment first = host.hear("R");
  s.require(first.seq == 5000, "the RST begins where our ACK pointed");

  host.say("PA", 1, 6000, "is anybody there?\n");  // data for it
  const Segment second = host.hear("R");
  s.require(second.seq == 6000, "the RST begins where our data's ACK pointed");
  s.played.client_bytes = 18;
  s.fact("resets", 2);
}

void stray_listener(Script& s) {
  const int listener = s.listen();
  s.played.server_at = {server_ip, service_port};
  ScriptedHost host = s.scripted_host(Side::client, 40002);
  s.played.client_at = host.at();
  host.talk_to(s.played.server_at);
  host.say("A", 1, 5000);
  const Segment reset = host.hear("R");
  s.require(reset.seq == 5000, "the RST begins where our ACK pointed");
  s.fact("resets", 1);
  s.server().close(listener).ok();
}

void half_open_synack(Script& s) {
  s.listen();
  s.played.server_at = {server_ip, service_port};
  ScriptedHost host = s.scripted_host(Side::client, 40003);
  s.played.client_at = host.at();
  host.talk_to(s.played.server_at);

  host.say("S", 0, 0);
  host.hear("SA");
  s.await_state(Side::server, "SYN_RECV");  // the table's word for NEW_SYN_RECV
  host.hear_again("SA");                    // after 1 s
  host.hear_again("SA");                    // after 3 s
  s.fact("synacks", 3);
  s.await_state(Side::server, "SYN_RECV");
}

void accept_queue_full(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at, 1);  // backlog 1: the queue holds two, for it is full when it exceeds the backlog
  const int first = s.client_socket(at), second = s.client_socket(at), third = s.client_socket(at);
  s.client().connect(first, at).ok();
  const Call queued = s.client().connect(second, at);
  queued.ok();
  s.played.more_clients.push_back(queued.local());

  const auto start = Clock::now();
  const Call ignored = s.client().connect(third, at, Millis(0));  // > S, no answer
  ignored.fails_with(EINPROGRESS);
  s.played.more_clients.push_back(ignored.local());
  s.client().connected(third, Millis(300)).fails_with(ETIME);

  const Call accepted = s.server().accept(listener);  // makes room
  const int server_first = static_cast<int>(accepted.ok());
  s.played.client_at = accepted.remote();
  s.played.server_at = accepted.local();
  s.fact("listen_overflows", s.counted(Side::server, "ListenOverflows"));
  s.require(s.counted(Side::server, "ListenOverflows") == 1, "the third SYN found the queue full");
  s.client().connected(third, Millis(5000)).ok();  // > S after 1 s   < SA   > A
  s.fact("third_connect_ms", milliseconds_since(start));

  const int server_second = static_cast<int>(s.server().accept(listener).ok());
  const int server_third = static_cast<int>(s.server().accept(listener).ok());
  for (const int fd : {first, second, third}) s.client().close(fd).ok();
  for (const int fd : {server_first, server_second, server_third}) {
    s.server().drain(fd).ok(0);
    s.server().close(fd).ok();
  }
  s.played.closed_first = Closer::client;
}

void no_local_port(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.set_sysctl(Side::client, "net.ipv4.ip_local_port_range", "40000 40000");
  s.establish(at);  // it has the only port
  s.played.more_clients.push_back(s.played.client_at);
  const int fd = s.client_socket(at);
  s.client_fails(s.client().connect(fd, at), EADDRNOTAVAIL);  // no SYN
  s.played.client_at = {client_ip, 0};
  s.pause(Millis(300));  // the tracer looks who has the port
  s.client().close(fd).ok();
  s.client().close(s.connection.client).ok();
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();
}

void port_in_use(Script& s) {
  const Endpoint at{server_ip, service_port}, from{client_ip, 40001};
  const int listener = s.listen(at);
  int fds[2] = {s.client_socket(at), s.client_socket(at)};
  for (const int fd : fds) {
    s.client().set(fd, SOL_SOCKET, SO_REUSEADDR, 1).ok();
    s.client().bind(fd, from).ok();
  }
  s.meet(listener, fds[0], at);
  s.client_fails(s.client().connect(fds[1], at), EADDRNOTAVAIL);  // the same four numbers
  s.pause(Millis(300));
  s.client().close(fds[1]).ok();
  s.client().close(fds[0]).ok();
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();
}

void unreachable(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.refuse_on_third_machine("admin-prohibited");
  const int fd = s.client_socket(at);
  const Call attempt = s.client().connect(fd, at);  // > S   < ICMP
  s.client_fails(attempt, EHOSTUNREACH);
  s.played.client_at = attempt.local();
  s.played.server_at = at;
  s.client().close(fd).ok();
}

void connect_cancelled(Script& s) {
  const Endpoint nowhere{server_ip, service_port};
  s.drop(Side::server, Hook::input);
  const int fd = s.client_socket(nowhere);
  const Call attempt = s.client().connect(fd, nowhere, Millis(0));  // > S, no answer
  attempt.fails_with(EINPROGRESS);
  s.played.client_at = attempt.local();
  s.played.server_at = nowhere;
  s.await_state(Side::client, "SYN_SENT");
  s.client().connected(fd, Millis(300)).fails_with(ETIME);
  s.client().close(fd).ok();
}

}  // namespace tcpwitness::lab::cases

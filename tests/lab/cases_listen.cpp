// SPDX-License-Identifier: Apache-2.0
//
// Getting in slowly, or not at once: queues of a listener that are full, syncookies, a handshake that loses a
// segment, a process that accepts late.

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {

void accept_overflow(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at, 0);  // the queue holds one
  ScriptedHost host = s.scripted_host(Side::client, 40021);
  s.played.client = s.client().identity();
  s.played.more_clients.push_back(host.at());
  host.talk_to(at);
  host.say("S", 0, 0);
  host.hear("SA");  // there is room
  const int fd = s.client_socket(at);
  const Call connected = s.client().connect(fd, at);  // takes it
  connected.ok();
  s.played.client_at = connected.local();
  s.played.server_at = at;
  host.say("A", 1, 1);    // > A finds the queue full
  host.hear_again("SA");  // < SA again, after a second
  s.fact("listen_overflows", s.counted(Side::server, "ListenOverflows"));
  s.require(s.counted(Side::server, "ListenOverflows") == 1, "the last ACK found the queue full");
  s.connection = {listener, fd, static_cast<int>(s.server().accept(listener).ok())};
  host.say("A", 1, 1);  // > A finds room
  const int second = static_cast<int>(s.server().accept(listener).ok());
  host.say("FA", 1, 1);
  s.server().drain(second).ok(0);
  s.server().close(second).ok();
  s.pause(Millis(100));
  host.say("A", 2, 2);
  s.talk_and_close();
}

void syn_backlog_full(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.set_sysctl(Side::server, "net.ipv4.tcp_syncookies", "0");
  const int listener = s.listen(at, 1);
  // Two half-open connections are one more than the backlog (since Linux 6.8 or so; before, the first fills it).
  ScriptedHost first = s.scripted_host(Side::client, 40022), second = s.scripted_host(Side::client, 40023);
  s.played.client = s.client().identity();
  for (ScriptedHost* host : {&first, &second}) {
    s.played.more_clients.push_back(host->at());
    host->talk_to(at);
    host->say("S", 0, 0);
  }
  first.hear("SA");  // and no answer to that
  s.pause(Millis(50));
  const int fd = s.client_socket(at);
  const auto start = Clock::now();
  const Call connecting = s.client().connect(fd, at, Millis(0));  // > S, no answer
  connecting.fails_with(EINPROGRESS);
  s.client().connected(fd, Millis(300)).fails_with(ETIME);
  s.fact("reqq_full_drops", s.counted(Side::server, "TCPReqQFullDrop"));
  s.require(s.counted(Side::server, "TCPReqQFullDrop") >= 1, "the SYN found the backlog full");
  for (ScriptedHost* host : {&first, &second}) host->say("R", 1, 0);  // makes room
  s.client().connected(fd, Millis(5000)).ok();                        // > S after 1 s   < SA   > A
  s.fact("connect_ms", milliseconds_since(start));
  const Call accepted = s.server().accept(listener);
  s.connection = {listener, fd, static_cast<int>(accepted.ok())};
  s.played.client_at = accepted.remote();
  s.played.server_at = accepted.local();
  s.talk_and_close();
}

void syncookie(Script& s) {
  s.set_sysctl(Side::server, "net.ipv4.tcp_syncookies", "2");  // always, not only under attack
  s.establish();
  s.fact("syncookies", s.counted(Side::server, "SyncookiesRecv"));
  s.require(s.counted(Side::server, "SyncookiesRecv") == 1, "the connection came from a cookie");
  s.talk_and_close();
}

void slow_accept(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  const int fd = s.client_socket(at);
  const Call connected = s.client().connect(fd, at);
  connected.ok();
  const std::string_view request = "is anybody in?\n";
  s.client().send(fd, request).ok();
  s.played.client_bytes = request.size();
  s.pause(Millis(1500));  // the server has other things to do
  const Call accepted = s.server().accept(listener);
  s.connection = {listener, fd, static_cast<int>(accepted.ok())};
  s.server().receive(s.connection.server, request.size()).ok(static_cast<int64_t>(request.size()));
  s.played.client_at = connected.local();
  s.played.server_at = accepted.local();
  s.fact("accepted_after_ms", 1500);
  s.talk_and_close();
}

void slow_handshake(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  s.drop_once(Side::server, Hook::input, syn);
  s.meet(listener, s.client_socket(at), at);  // > S is lost, > S after 1 s
  s.require(s.dropped(Side::server) == 1, "one SYN was lost");
  s.unsilence(Side::server);
  s.talk_and_close();
}

void synack_lost(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  s.drop_once(Side::client, Hook::input, syn_ack);
  s.meet(listener, s.client_socket(at), at);  // > S   < SA is lost, both again after 1 s
  s.require(s.dropped(Side::client) == 1, "one SYN-ACK was lost");
  s.unsilence(Side::client);
  s.talk_and_close();
}

}  // namespace tcpwitness::lab::cases

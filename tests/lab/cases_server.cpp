// SPDX-License-Identifier: Apache-2.0
//
// Whose connection it is, and under which address: a child that serves what its parent accepted, sockets whose
// family is not the wire's, IPv6 all the way, and a connection older than whoever watches.

#include <netinet/in.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
void fork_server(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  const int fd = s.client_socket(at);
  const Call connected = s.client().connect(fd, at);
  connected.ok();
  s.played.client_at = connected.local();
  s.played.server_at = connected.remote();

  const std::string_view request = "who are you?\n";
  const pid_t child = static_cast<pid_t>(s.server().serve_in_child(listener, "lab-child", request.size()).ok());
  s.played.forked = {child, "lab-child"};
  s.client().send(fd, request).ok();
  s.played.client_bytes = request.size();
  s.played.server_bytes = static_cast<uint64_t>(s.client().drain(fd).ok());  // the child answers and closes
  s.played.closed_first = Closer::server;
  s.client().close(fd).ok();
  s.server().reap(child).ok(0);
  s.await_state(Side::server, "TIME_WAIT");
}

void mapped(Script& s) {
  const int listener = static_cast<int>(s.server().socket({"::", service_port}).ok());
  s.server().set(listener, SOL_SOCKET, SO_REUSEADDR, 1).ok();
  s.server().set(listener, IPPROTO_IPV6, IPV6_V6ONLY, 0).ok();
  s.server().bind(listener, {"::", service_port}).ok();
  s.server().listen(listener, 16).ok();
  const Endpoint at{server_ip, service_port};
  s.meet(listener, s.client_socket(at), at);
  s.talk_and_close();
}

void ipv6(Script& s) {
  s.establish({server_ip6, service_port});
  s.talk_and_close();
}

void late(Script& s) {
  // The server's copy of its FIN would come first otherwise.
  s.set_sysctl(Side::server, "net.ipv4.tcp_early_retrans", "0");
  s.establish();
  s.exchange();
  s.pause(Millis(100));
  // The client's process is in send(), and its memory is not there yet: its socket is locked for that long.
  const std::string_view text = "sorry, I was held up\n";
  s.client().begin_held_send(s.connection.client, text, Millis(250));
  s.pause(Millis(60));
  s.server().shutdown(s.connection.server).ok();  // < FA arrives, and waits
  s.client().end_held_send().ok(static_cast<int64_t>(text.size()));
  s.await_state(Side::client, "CLOSE_WAIT");
  s.played.client_bytes += text.size();
  s.fact("held_ms", 250);
  s.server().receive(s.connection.server, text.size()).ok(static_cast<int64_t>(text.size()));
  s.client().close(s.connection.client).ok();
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();
  s.played.closed_first = Closer::server;
  s.await_state(Side::server, "TIME_WAIT");
}

void preexisting_before(Script& s) {
  s.establish();
  s.exchange();
}

void preexisting(Script& s) {
  s.pause(Millis(100));
  s.talk_and_close();
}

}  // namespace tcpwitness::lab::cases

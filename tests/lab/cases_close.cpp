// SPDX-License-Identifier: Apache-2.0
//
// Ways to close. Who closes first ends in TIME_WAIT; whether the other's ACK and FIN share a segment (three) or not
// (four) depends on whether it closes within the delayed-ACK time, 40 ms; and the two FINs may meet on the way.

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

// Well over the 40 ms a kernel waits for something to send an ACK along with.
constexpr Millis longer_than_delayed_ack{150};

// A pure ACK: nothing but the flag. The client's first one ends the handshake.
constexpr const char* pure_ack = "tcp flags & (fin|syn|rst|psh|ack) == ack";

// Binds a new socket to the port that TIME_WAIT holds, the way a server that is restarted does.
void port_is_taken(Script& s, Actor& who, const Endpoint& at) {
  const int fd = static_cast<int>(who.socket(at).ok());
  s.fact("rebind_errno", errno_name(who.bind(fd, at).fails_with(EADDRINUSE)));
  who.close(fd).ok();
}

}  // namespace

void close_client(Script& s) {
  s.establish();
  s.exchange();
  s.client().close(s.connection.client).ok();  // > FA
  s.server().drain(s.connection.server).ok(0);
  s.pause(longer_than_delayed_ack);  // < A
  s.await_state(Side::client, "FIN_WAIT2");
  s.await_state(Side::server, "CLOSE_WAIT");
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
  s.await_state(Side::server, "gone");
  port_is_taken(s, s.client(), s.played.client_at);
}

void close_server(Script& s) {
  s.establish();
  s.exchange();
  s.server().close(s.connection.server).ok();  // < FA
  s.client().drain(s.connection.client).ok(0);
  s.pause(longer_than_delayed_ack);  // > A
  s.await_state(Side::server, "FIN_WAIT2");
  s.await_state(Side::client, "CLOSE_WAIT");
  s.client().close(s.connection.client).ok();  // > FA   < A
  s.played.closed_first = Closer::server;
  s.await_state(Side::server, "TIME_WAIT");
  s.await_state(Side::client, "gone");
  s.server().close(s.connection.listener).ok();
  port_is_taken(s, s.server(), s.played.server_at);
}

void close_three(Script& s) {
  s.establish();
  s.exchange();
  // The server waits in recv() and closes at once: its FIN carries the ACK.
  s.server().begin_drain(s.connection.server, Millis(3000));
  s.client().close(s.connection.client).ok();  // > FA
  s.server().end_drain().ok(0);
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
  s.await_state(Side::server, "gone");
}

void ack_first(Script& s) {
  s.establish();  // > S   < SA   > A
  s.await_state(Side::server, "ESTABLISHED");
  s.client().close(s.connection.client).ok();  // > FA
  s.server().drain(s.connection.server).ok(0);
  s.await_state(Side::server, "CLOSE_WAIT");
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
  s.await_state(Side::server, "gone");
}

void fin_first(Script& s) {
  const Endpoint at{server_ip, service_port};
  const int listener = s.listen(at);
  // Lost on the client's way out, so that the server's interface never sees it.
  s.drop_once(Side::client, Hook::output, pure_ack);
  const int fd = s.client_socket(at);
  const Call connected = s.client().connect(fd, at);  // > S   < SA   > A is lost
  connected.ok();
  s.played.client_at = connected.local();
  s.played.server_at = at;
  s.await_state(Side::client, "ESTABLISHED");
  s.await_state(Side::server, "SYN_RECV");
  s.client().close(fd).ok();  // > FA: completes the handshake and ends the stream at once
  const Call accepted = s.server().accept(listener);
  s.connection = {listener, fd, static_cast<int>(accepted.ok())};
  s.require(s.dropped(Side::client) == 1, "exactly the handshake's last ACK was lost");
  s.fact("lost", "the handshake's last ACK");
  s.await_state(Side::server, "CLOSE_WAIT");
  s.server().drain(s.connection.server).ok(0);
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
  s.await_state(Side::server, "gone");
}

void simultaneous_close(Script& s) {
  ScriptedHost server = s.scripted_host(Side::server, service_port);
  const int fd = s.client_socket(server.at());
  const Call connecting = s.client().connect(fd, server.at(), Millis(0));
  connecting.fails_with(EINPROGRESS);
  s.played.client_at = connecting.local();
  s.played.server_at = server.at();
  server.hear("S");
  server.say("SA", 0, 1);
  server.hear("A");
  s.client().connected(fd, Millis(1000)).ok();
  s.await_state(Side::client, "ESTABLISHED");

  s.client().close(fd).ok();
  server.hear("FA");
  s.await_state(Side::client, "FIN_WAIT1");
  server.say("FA", 1, 1);  // sent before the client's FIN arrived: it acknowledges nothing of it
  const Segment ack = server.hear("A");
  s.require(ack.seq == 2 && ack.ack == 2, "the client's ACK counts both FINs");
  s.await_state(Side::client, "CLOSING");
  server.say("A", 2, 2);
  s.await_state(Side::client, "TIME_WAIT");
  s.played.closed_first = Closer::both;
}

void half_close(Script& s) {
  s.establish();
  s.client_sends("tell me everything\n");
  s.client().shutdown(s.connection.client).ok();  // > FA: it sends no more, and still reads
  s.server().drain(s.connection.server).ok(0);
  s.await_state(Side::server, "CLOSE_WAIT");
  for (int part = 0; part < 5; ++part) {
    s.server_sends("a part of the answer\n");
    s.pause(Millis(200));
  }
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.client().drain(s.connection.client).ok(0);
  s.client().close(s.connection.client).ok();
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
  s.await_state(Side::server, "gone");
}

void port_reuse(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.establish(at);
  s.exchange();
  s.server().close(s.connection.server).ok();  // < FA
  s.client().drain(s.connection.client).ok(0);
  s.client().close(s.connection.client).ok();  // > FA   < A
  s.await_state(Side::server, "TIME_WAIT");
  s.await_state(Side::client, "gone");
  // The same four numbers again: the server's kernel lets a newer SYN end its TIME_WAIT.
  const int fd = s.client_socket(at);
  s.client().bind(fd, s.played.client_at).ok();
  s.meet(s.connection.listener, fd, at);  // > S   < SA   > A
  s.exchange();
  s.server().close(s.connection.server).ok();
  s.client().drain(s.connection.client).ok(0);
  s.client().close(s.connection.client).ok();
  s.played.closed_first = Closer::server;
  s.await_state(Side::server, "TIME_WAIT");
  s.await_state(Side::client, "gone");
}

void close_wait_stuck(Script& s) {
  s.establish();
  s.exchange();
  s.client().close(s.connection.client).ok();  // > FA   < A
  s.played.closed_first = Closer::client;
  s.await_state(Side::server, "CLOSE_WAIT");
  s.await_state(Side::client, "FIN_WAIT2");
  s.pause(s.options().hold);  // the server has other things to do
  s.await_state(Side::server, "CLOSE_WAIT");
  s.fact("held_ms", s.options().hold.count());
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.await_state(Side::server, "gone");
  s.await_state(Side::client, "TIME_WAIT");
}

void half_close_long(Script& s) {
  s.establish();
  s.client_sends("tell me everything\n");
  s.client().shutdown(s.connection.client).ok();  // > FA
  s.server().drain(s.connection.server).ok(0);
  s.await_state(Side::client, "FIN_WAIT2");
  for (Millis spent{0}; spent < s.options().hold; spent += Millis(500)) {
    s.server_sends("a part of the answer\n");
    s.pause(Millis(500));
  }
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.client().drain(s.connection.client).ok(0);
  s.client().close(s.connection.client).ok();
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
}

void fin_wait2_timeout(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_fin_timeout", "2");
  s.establish();
  s.exchange();
  s.client().close(s.connection.client).ok();  // > FA   < A
  s.played.closed_first = Closer::client;
  s.await_state(Side::server, "CLOSE_WAIT");
  s.await_state(Side::client, "FIN_WAIT2");
  s.await_state(Side::client, "gone", Millis(6000));  // the orphan's time is up
  s.pause(Millis(500));
  s.server().send(s.connection.server, "any news?\n").ok();  // < PA   > R: no such connection
  s.await_state(Side::server, "gone");
  s.server().close(s.connection.server).ok();
}

void write_after_peer_closed(Script& s) {
  s.establish();
  s.exchange();
  s.server().close(s.connection.server).ok();  // < FA   > A
  s.await_state(Side::client, "CLOSE_WAIT");
  s.pause(Millis(500));
  s.client().send(s.connection.client, "once more, please\n").ok();  // > PA   < R
  s.await_state(Side::client, "gone");
  s.played.closed_first = Closer::server;
  s.client().close(s.connection.client).ok();
}

}  // namespace tcpwitness::lab::cases

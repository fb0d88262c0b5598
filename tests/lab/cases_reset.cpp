// SPDX-License-Identifier: Apache-2.0
//
// Resets. Those that a process asks for: SO_LINGER with zero seconds makes close() an abort, though nothing is unread
// and nobody crashed. Those that TCP sends by itself. And one that neither end sent: somebody on the path did.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

// After an exchange: in the server's name, and just where the client expects the next byte.
void injects_reset(Script& s, Outsider& outsider) {
  const Segment answer = outsider.overhear(s.played.server_at, "PA");
  s.client().all_acknowledged(s.connection.client).ok();
  s.pause(Millis(100));
  outsider.say({.src_ip = s.played.server_at.ip,
                .dst_ip = s.played.client_at.ip,
                .src_port = s.played.server_at.port,
                .dst_port = s.played.client_at.port,
                .seq = answer.seq + answer.sequence_length(),
                .ack = 0,
                .flags = "R",
                .window = 0,
                .data = {},
                .timestamps = {},
                .ttl = 101});
  s.client_fails(s.client().drain(s.connection.client), ECONNRESET);
  s.await_state(Side::client, "gone");
}

}  // namespace

void reset_by_peer(Script& s) {
  s.establish();
  s.exchange();
  s.client().all_acknowledged(s.connection.client).ok();
  s.server().linger(s.connection.server, 0).ok();
  s.server().close(s.connection.server).ok();  // < RA
  s.client_fails(s.client().drain(s.connection.client), ECONNRESET);
  s.played.closed_first = Closer::server;
  s.await_state(Side::client, "gone");
  s.await_state(Side::server, "gone");
  s.client().close(s.connection.client).ok();
}

void reset_by_local(Script& s) {
  s.establish();
  s.exchange();
  s.server().all_acknowledged(s.connection.server).ok();
  s.client().linger(s.connection.client, 0).ok();
  s.client().close(s.connection.client).ok();  // > RA
  s.server_fails(s.server().drain(s.connection.server), ECONNRESET);
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "gone");
  s.await_state(Side::server, "gone");
  s.server().close(s.connection.server).ok();
}

void reset_orphan(Script& s) {
  s.establish();
  s.exchange();
  s.client().close(s.connection.client).ok();  // > FA   < A
  s.await_state(Side::client, "FIN_WAIT2");
  s.server().send(s.connection.server, "one more thing\n").ok();  // < PA   > R: nobody is left to read it
  s.await_state(Side::server, "gone");
  s.server_fails(s.server().send(s.connection.server, "and another\n"), EPIPE);
  s.await_state(Side::client, "gone");
  s.server().close(s.connection.server).ok();
  s.played.closed_first = Closer::client;
}

void third_machine_before(Script& s) { s.route_through_third_machine(); }

void reset_routed(Script& s) { reset_by_peer(s); }

void reset_suspected(Script& s) {
  s.establish();
  Outsider outsider = s.outsider();
  s.exchange();
  injects_reset(s, outsider);
  s.await_state(Side::server, "ESTABLISHED");  // it sent nothing, and has nothing more to send
  s.client().close(s.connection.client).ok();
}

void reset_injected(Script& s) {
  s.establish();
  Outsider outsider = s.outsider();
  s.exchange();
  injects_reset(s, outsider);
  s.await_state(Side::server, "ESTABLISHED");
  // < PFA   > R: the last part of the answer, for a connection that is not known here any more
  s.server().set(s.connection.server, IPPROTO_TCP, TCP_CORK, 1).ok();
  s.server().send(s.connection.server, "and another thing\n").ok();
  s.server().close(s.connection.server).ok();
  s.await_state(Side::server, "gone");
  s.client().close(s.connection.client).ok();
}

}  // namespace tcpwitness::lab::cases

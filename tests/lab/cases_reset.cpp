// SPDX-License-Identifier: Apache-2.0
//
// Resets that a process asks for: SO_LINGER with zero seconds makes close() an abort. Nothing is unread, so it is
// neither a crash nor an accident.

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {

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

}  // namespace tcpwitness::lab::cases

// SPDX-License-Identifier: Apache-2.0
// churn.hpp: many connections over loopback, opened and closed at once, as both witnesses see both of their ends.
#pragma once

#include <vector>

#include "unit/events.hpp"

namespace tcpwitness::testing {

// Both sides of one loopback connection: the client connects, the server accepts.
inline void both_open(Side& client, Side& server) {
  client.to(State::syn_sent, curl);
  client.out(S);
  server.view = SocketKind::listener;
  server.in(S);
  server.view = SocketKind::request;
  server.state = State::new_syn_recv;
  server.out(SA);
  client.in(SA);
  client.to(State::established, curl);
  client.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
  server.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  server.view = SocketKind::full;
  server.state = State::listen;
  server.to(State::syn_recv);
  server.to(State::established);
}

// The client closes first, then the server; both sockets are destroyed.
inline void both_close(Side& client, Side& server) {
  client.to(State::fin_wait1, curl);
  client.out(FA);
  server.in(FA);
  server.to(State::close_wait);
  server.out(A, 0, TW_EVENT_FIN_ACK);
  client.in(A, 0, TW_EVENT_FIN_ACK);
  client.to(State::fin_wait2);
  server.to(State::last_ack, nginx);
  server.out(FA);
  client.in(FA);
  client.out(A, 0, TW_EVENT_FIN_ACK);
  client.to(State::close);
  client.destroy();
  server.in(A, 0, TW_EVENT_FIN_ACK);
  server.to(State::close);
  server.destroy();
}

// One loopback connection: client and server side, closed by the client.
inline void churn(Stream& stream, std::uint64_t number) {
  const auto port = static_cast<std::uint16_t>(32768 + number % 28000);
  const auto isn = static_cast<std::uint32_t>(number * 7919);
  Side client(stream, 2 * number + 10, "127.0.0.1", port, "127.0.0.1", 80, isn, isn + 77, true);
  Side server(stream, 2 * number + 11, "127.0.0.1", 80, "127.0.0.1", port, isn + 77, isn, false);
  both_open(client, server);
  server.used(nginx, OwnerSource::receive);
  both_close(client, server);
}

inline std::vector<Event> churn_events(std::uint64_t connections) {
  Stream stream;
  listens(stream);
  for (std::uint64_t i = 0; i < connections; ++i) churn(stream, i);
  return stream.events;
}

}  // namespace tcpwitness::testing

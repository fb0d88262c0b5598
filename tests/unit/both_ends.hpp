// SPDX-License-Identifier: Apache-2.0
// both_ends.hpp: a connection whose two ends are in one run, as over loopback.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "unit/stories.hpp"

namespace tcpwitness::testing {

// The life of the end with this port; null: there is none.
inline const Life* life_at(const std::vector<Life>& lives, std::uint16_t port) {
  const auto found = std::ranges::find_if(lives, [&](const Life& life) { return life.flow.local.port == port; });
  return found == lives.end() ? nullptr : &*found;
}

// curl[42] at port 40000, nginx[80] at port 80. With another server_isn they are ends of two connections.
struct Ends {
  Stream stream;
  Side client = client_of(stream);
  Side server;
  explicit Ends(std::uint32_t server_isn = 300)
      : server(stream, 9, "10.0.0.2", 80, "10.0.0.1", 40000, server_isn, 100, false) {
    listens(stream);
  }
  void establish() {
    is_asked(server);
    client.in(SA);
    client.to(State::established);
    client.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
    server.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    server.view = SocketKind::full;
    server.state = State::listen;
    server.to(State::syn_recv);
    server.to(State::established);
  }
  void finish_handshake() {
    establish();
    server.used(nginx, OwnerSource::receive);
  }
  void open() {
    client.to(State::syn_sent, curl);
    client.out(S);
  }
  void connect() {
    open();
    finish_handshake();
  }
};

}  // namespace tcpwitness::testing

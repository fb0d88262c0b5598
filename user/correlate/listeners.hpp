// SPDX-License-Identifier: Apache-2.0
// listeners.hpp: the sockets in LISTEN and who owns them, so that their children inherit a process.
//
// A listener is no connection and has no life. Found by its cookie or by the local end of a child: the
// exact address before the wildcard, an owner that two processes share is no owner.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <unordered_map>
#include <vector>

#include "facts/connection.hpp"
#include "tcpwitness/address.hpp"

namespace tcpwitness {

struct Listener {
  std::uint64_t cookie = 0;
  Endpoint local;
  Owner owner;
  Owner opener;             // called listen(); pid 0: before the run
  bool ambiguous = false;   // the newest look at all descriptors named two other processes: a pre-fork server
  std::uint32_t asked = 0;  // this process is gone: who else has it open?
  TimeNs looked_ns = 0;     // when that look came to it first
  TimeNs opened_ns = 0;     // 0: before the run
  TimeNs closed_ns = 0;     // 0: it is open

  [[nodiscard]] bool is_open_at(TimeNs then) const { return opened_ns <= then && (closed_ns == 0 || then < closed_ns); }
};

// One that listens there, at one address or at any, takes what is for `local`.
[[nodiscard]] bool serves(const Address& listening, const Address& local);

class Listeners {
 public:
  static constexpr TimeNs now = std::numeric_limits<TimeNs>::max();

  // since: 0 where it was found open.
  void opened(std::uint64_t cookie, const Endpoint& local, const Owner& owner, TimeNs since);
  void closed(std::uint64_t cookie, TimeNs then);
  // A process has the listening socket open, as a look at all descriptors shows. False: no such listener. Who called
  // listen() is named as long as it is among them; a child can have the socket, too.
  bool owned(std::uint64_t cookie, const Owner& owner, TimeNs then);
  // One belongs to a process that is gone: true once for each of these, so that a look can show who has it now.
  [[nodiscard]] bool any_left_behind(const std::function<bool(std::uint32_t pid)>& is_gone);
  [[nodiscard]] const Listener* find(std::uint64_t cookie) const;
  // The one that was open then: a digest comes when its connection ends, and its listener can have closed before.
  // nullptr, too: there were several, of more than one process.
  [[nodiscard]] const Listener* find(const Endpoint& local, TimeNs then) const;
  // There is one, or more.
  [[nodiscard]] bool has(const Endpoint& local) const;

 private:
  std::unordered_map<std::uint64_t, Listener> by_cookie_;
  std::unordered_map<std::uint16_t, std::vector<std::uint64_t>> by_port_;
  std::deque<Listener> closed_;  // the newest of them, the oldest first
};

}  // namespace tcpwitness

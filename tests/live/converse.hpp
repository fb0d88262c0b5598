// SPDX-License-Identifier: Apache-2.0
//
// A small load of the test's own: so many connections, one request and one response each, the client closes first.
// Both ends are threads of this process in the namespaces they are given, which may be the same one.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab/lab.hpp"
#include "lab/namespace.hpp"

namespace tcpwitness::live {

struct Conversation {
  std::string ip;  // the server's address, IPv4 or IPv6
  uint16_t port = 9000;
  int connections = 1;
  size_t request = 100;
  size_t response = 1000;
  int addresses = 1;        // ip, ip + 1, ...: one alone runs out of ports in TIME_WAIT
  uint16_t listens_on = 0;  // the port that NAT leads to; 0: the same
  std::string from{};       // the client's own address; "": the kernel's choice
  int protocol = 0;         // IPPROTO_MPTCP, or TCP
};

// The clients' ports, in order. Fails if any call fails.
lab::Result<std::vector<uint16_t>> converse(const lab::Namespace& client, const lab::Namespace& server,
                                            const Conversation& what);

}  // namespace tcpwitness::live

// SPDX-License-Identifier: Apache-2.0
//
// What is known of a played situation from the players themselves, never from a tracer: who they were, between
// which addresses, what errno the application got, who closed first, which states the kernel's own socket table
// showed on the way. Live tests hold the tracer's output against these.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcpwitness::lab {

enum class Side { client, server };
enum class Closer { nobody, client, server, both };

inline Side other(Side side) { return side == Side::client ? Side::server : Side::client; }
const char* to_string(Side side);
const char* to_string(Closer closer);
// "ECONNRESET"; "none" for 0.
std::string errno_name(int error);

struct Endpoint {
  std::string ip;  // plain IPv4 form even where a socket holds it mapped into IPv6
  uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};
std::string to_string(const Endpoint& endpoint);

struct Identity {
  pid_t pid = 0;  // 0: no process (a scripted host)
  std::string comm;
};

// The kernel's socket table (/proc/net/tcp) showed this state of the played connection on this side.
struct SeenState {
  Side side = Side::client;
  std::string state;
};

struct Played {
  std::string name;  // of the case
  std::string client_ns;
  std::string server_ns;

  Identity client;
  Identity server;
  std::optional<Identity> killed;  // the process that got SIGKILL (client or server)
  std::optional<Identity> forked;  // the child that served the connection

  Endpoint client_at;  // of the connection played
  Endpoint server_at;
  std::vector<Endpoint> more_clients;  // further connections to server_at, in the order of their connect()

  int client_errno = 0;  // first error a call on the connection gave the application; 0: none
  int server_errno = 0;
  Closer closed_first = Closer::nobody;
  uint64_t client_bytes = 0;  // sent by the application on this side
  uint64_t server_bytes = 0;

  std::vector<SeenState> seen;
  std::vector<std::pair<std::string, std::string>> more;  // what only this case knows: connect_ms, dropped, ...

  int64_t started_ts_ns = 0;  // CLOCK_REALTIME
  int64_t ended_ts_ns = 0;

  // Value in `more`, or "" if the case does not have it.
  std::string fact(const std::string& key) const;
};

// One fact a line, aligned.
std::string describe(const Played& played);

}  // namespace tcpwitness::lab

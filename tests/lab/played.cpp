// SPDX-License-Identifier: Apache-2.0
//
// The words for what was played, one fact a line, for people who run the lab by hand.
// Names only what is known: a field that does not apply is left out.

#include "lab/played.hpp"

#include <fmt/format.h>

#include <cstring>

namespace tcpwitness::lab {
namespace {

void line(std::string& out, std::string_view key, std::string_view value) {
  fmt::format_to(std::back_inserter(out), "  {:<16} {}\n", key, value);
}

std::string text(const Identity& who) {
  return who.pid ? fmt::format("{} ({})", who.pid, who.comm) : "scripted, no process";
}

}  // namespace

const char* to_string(Side side) { return side == Side::client ? "client" : "server"; }

const char* to_string(Closer closer) {
  switch (closer) {
    case Closer::client:
      return "client";
    case Closer::server:
      return "server";
    case Closer::both:
      return "both";
    case Closer::nobody:
      break;
  }
  return "nobody";
}

std::string errno_name(int error) {
  if (error == 0) return "none";
  const char* name = ::strerrorname_np(error);
  return name ? name : fmt::format("errno {}", error);
}

std::string to_string(const Endpoint& endpoint) {
  return endpoint.ip.find(':') == std::string::npos ? fmt::format("{}:{}", endpoint.ip, endpoint.port)
                                                    : fmt::format("[{}]:{}", endpoint.ip, endpoint.port);
}

std::string Played::fact(const std::string& key) const {
  for (const auto& [entry, value] : more) {
    if (entry == key) return value;
  }
  return {};
}

std::string describe(const Played& played) {
  std::string out = fmt::format("{}:\n", played.name);
  line(out, "client", fmt::format("{} in {}, {}", to_string(played.client_at), played.client_ns, text(played.client)));
  line(out, "server", fmt::format("{} in {}, {}", to_string(played.server_at), played.server_ns, text(played.server)));
  if (played.killed) line(out, "killed", text(*played.killed));
  if (played.forked) line(out, "forked child", text(*played.forked));
  for (const Endpoint& client : played.more_clients) line(out, "also", to_string(client));
  line(out, "client errno", errno_name(played.client_errno));
  line(out, "server errno", errno_name(played.server_errno));
  line(out, "closed first", to_string(played.closed_first));
  line(out, "bytes", fmt::format("{} to the server, {} to the client", played.client_bytes, played.server_bytes));
  for (const SeenState& seen : played.seen)
    line(out, "kernel showed", fmt::format("{} {}", to_string(seen.side), seen.state));
  for (const auto& [key, value] : played.more) line(out, key, value);
  line(out, "took", fmt::format("{} ms", (played.ended_ts_ns - played.started_ts_ns) / 1'000'000));
  return out;
}

}  // namespace tcpwitness::lab

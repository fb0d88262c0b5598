// SPDX-License-Identifier: Apache-2.0
//
// What closed while events were lost is not called open: the sockets are listed again after a loss.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <set>

#include "lab/unique_fd.hpp"
#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

using lab::UniqueFd;

struct Pair {
  UniqueFd caller;
  UniqueFd callee;
  uint16_t port = 0;  // the caller's
};

// Connections over loopback whose ends this process holds.
lab::Result<std::vector<Pair>> open_pairs(const lab::Namespace& where, size_t count) {
  std::vector<Pair> pairs;
  const auto made = where.inside([&]() -> lab::Result<void> {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* any = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener.get(), any, size) != 0 || ::listen(listener.get(), 16) != 0)
      return lab::system_failure("listen");
    ::getsockname(listener.get(), any, &size);
    const sockaddr_in to = at;
    for (size_t i = 0; i < count; ++i) {
      Pair pair;
      pair.caller = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (::connect(pair.caller.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        return lab::system_failure("connect");
      pair.callee = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!pair.callee) return lab::system_failure("accept");
      ::getsockname(pair.caller.get(), any, &size);
      pair.port = ntohs(at.sin_port);
      pairs.push_back(std::move(pair));
    }
    return {};
  });
  if (!made) return std::unexpected(made.error());
  return pairs;
}

Json life_at(const Printed& printed, uint16_t local_port) {
  for (const Json& life : printed.of("life")) {
    if (life["local"]["port"] == local_port) return life;
  }
  return {};
}

using Listing = Live;

TEST_F(Listing, WhatClosedWhileEventsWereLostIsOverAndTheRestIsOpen) {
  auto watch = Watch::start(lab().client_ns(), {"--ring-size", "64K"}, {}, "life");
  ASSERT_TRUE(watch && watch->run().wait_ready());
  const auto& here = lab().host(lab::Side::client);
  auto closed = open_pairs(here, 5);
  ASSERT_TRUE(closed) << closed.error();
  const auto kept = open_pairs(here, 5);
  ASSERT_TRUE(kept) << kept.error();
  std::set<uint16_t> closed_ports;
  for (const Pair& pair : *closed) closed_ports.insert(pair.port);
  lab::pause_for(Millis(2500));  // their beginnings waited for a second, and are read
  // The consumer is held, the ring is filled, and then they close.
  ::kill(watch->run().pid(), SIGSTOP);
  const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 300});
  closed->clear();
  ::kill(watch->run().pid(), SIGCONT);
  ASSERT_TRUE(talked) << talked.error();
  lab::pause_for(Millis(1500));  // the sockets are listed 0.2 s after the loss
  const Printed printed = watch->stop({.losses_allowed = true});
  const Json summary = printed.summary();
  ASSERT_GT(summary["lost"].get<uint64_t>(), 0U);
  size_t over = 0;
  for (const uint16_t port : closed_ports) {
    const Json life = life_at(printed, port);
    ASSERT_FALSE(life.empty()) << port;
    EXPECT_NE(life["outcome"], "open") << life.dump();
    EXPECT_EQ(life["incomplete"], true) << life.dump();
    EXPECT_LT(life["ts_ns"].get<int64_t>(), summary["ts_ns"].get<int64_t>() - 500'000'000) << life.dump();
    ++over;
  }
  EXPECT_EQ(over, 5U);
  for (const Pair& pair : *kept) {
    const Json life = life_at(printed, pair.port);
    EXPECT_EQ(life["outcome"], "open") << life.dump();
  }
}

}  // namespace
}  // namespace tcpwitness::live

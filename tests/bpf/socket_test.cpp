// SPDX-License-Identifier: Apache-2.0
// socket_test.cpp: what the wire programs learn from the socket, and whose flows they keep.
//
// An incoming segment is looked up in the namespace of its device: listener, connection, or nobody. Only
// flows that a socket wants are remembered; what the machine forwards is none of ours.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <fstream>

#include "bpf/conversation.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::array arriving{Hook::ingress, Hook::xdp};

class Sockets : public WireSuite<Sockets> {
 protected:
  static std::vector<tw_segment> run(Hook hook, const Endpoint& from, const Endpoint& to, const Segment& segment,
                                     Family family = Family::ipv4) {
    const Outcome outcome = wire->run(hook, build({.family = family}, from, to, segment).bytes);
    EXPECT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.verdict, passing_verdict(hook));
    return outcome.records;
  }
};

TEST_F(Sockets, ASynThatNobodyWantsIsToldEveryTimeAndLeavesNoFlow) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (const Hook hook : arriving) {
      SCOPED_TRACE(name_of(hook));
      const auto [us, them] = fresh_ends(family);
      const std::size_t flows = wire->flow_count();
      for (int i = 0; i < 20; i++) {
        auto records = run(hook, them, us, {.flags = syn}, family);
        ASSERT_EQ(records.size(), 1U);
        EXPECT_EQ(records[0].event_flags, TW_EVENT_SYN | TW_EVENT_NO_SOCKET);
        EXPECT_EQ(records[0].socket.type, TW_SOCKET_NONE);
        records = run(hook, them, us, {.flags = rst}, family);
        ASSERT_EQ(records.size(), 1U);
        EXPECT_EQ(records[0].event_flags, TW_EVENT_RST | TW_EVENT_UNKNOWN_FLOW | TW_EVENT_NO_SOCKET);
      }
      EXPECT_EQ(wire->flow_count(), flows);
    }
  }
}

TEST_F(Sockets, AFlowThatNeverFindsASocketIsToldEightTimesAndThenLeftAlone) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (const Hook hook : arriving) {
      SCOPED_TRACE(name_of(hook));
      const auto [us, them] = fresh_ends(family);
      for (int i = 0; i < 8; i++) {
        const auto records = run(hook, them, us, {.payload = Bytes(10, 1)}, family);
        ASSERT_EQ(records.size(), 1U) << i;
        EXPECT_EQ(records[0].event_flags, TW_EVENT_UNKNOWN_FLOW | TW_EVENT_NO_SOCKET);
      }
      EXPECT_TRUE(run(hook, them, us, {.payload = Bytes(10, 1)}, family).empty());
      EXPECT_TRUE(run(hook, them, us, {.flags = rst}, family).empty());
      EXPECT_EQ(run(hook, them, us, {.flags = syn}, family).size(), 1U);  // it may find a socket by now
    }
  }
}

TEST_F(Sockets, AListenerIsFoundWithItsQueues) {
  const Listener listener;
  ASSERT_TRUE(listener.ok());
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (const Hook hook : arriving) {
      SCOPED_TRACE(name_of(hook));
      auto [us, them] = fresh_ends(family);
      std::swap(us.port, them.port);
      const auto records = run(hook, them, us, {.flags = syn}, family);
      ASSERT_EQ(records.size(), 1U);
      EXPECT_EQ(records[0].event_flags, TW_EVENT_SYN);
      EXPECT_EQ(records[0].header.cookie, 0U);
      EXPECT_EQ(records[0].socket.type, TW_SOCKET_LISTENER);
      EXPECT_EQ(records[0].socket.state, 10);
      EXPECT_EQ(records[0].socket.ack_backlog, 0U);
      EXPECT_EQ(records[0].socket.max_ack_backlog, 5U);
      EXPECT_EQ(records[0].forwarding, 0);
    }
  }
}

TEST_F(Sockets, AConnectionIsFoundWithItsCookieAndNumbers) {
  const Listener listener;
  ASSERT_TRUE(listener.ok());
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = inet_addr("10.0.0.1");
  address.sin_port = htons(443);
  ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(getsockname(client.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::uint64_t cookie = 0;
  size = sizeof(cookie);
  ASSERT_EQ(getsockopt(client.get(), SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
  const int on = 1;
  ASSERT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);

  const Endpoint server = ipv4_endpoint(10, 0, 0, 1, 443);
  const Endpoint us = ipv4_endpoint(10, 0, 0, 1, ntohs(address.sin_port));
  for (const Hook hook : arriving) {
    SCOPED_TRACE(name_of(hook));
    const auto records = run(hook, server, us, {.flags = rst | ack});
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].header.cookie, cookie);
    EXPECT_EQ(records[0].socket.type, TW_SOCKET_FULL);
    EXPECT_EQ(records[0].socket.state, 1);
    EXPECT_NE(records[0].socket.snd_nxt, 0U);
    EXPECT_EQ(records[0].socket.snd_una, records[0].socket.snd_nxt);
    EXPECT_EQ(records[0].socket.write_seq, records[0].socket.snd_nxt);
    EXPECT_TRUE(records[0].socket.flags & TW_CB_KEEPOPEN);
    EXPECT_FALSE(records[0].socket.flags & TW_CB_OWNED);
    EXPECT_EQ(records[0].socket.keepalive_probes, 9);
  }
}

// RFC 9293, 3.10.7.4, and RFC 5961: segments of somebody who knows the ports alone.
TEST_F(Sockets, WhatTheSocketRefusesChangesNothingButTheCount) {
  const Listener listener;
  ASSERT_TRUE(listener.ok());
  for (const Hook hook : arriving) {
    SCOPED_TRACE(name_of(hook));
    const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = inet_addr("10.0.0.1");
    address.sin_port = htons(443);
    ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    ASSERT_EQ(getsockname(client.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const Endpoint server = ipv4_endpoint(10, 0, 0, 1, 443);
    const Endpoint us = ipv4_endpoint(10, 0, 0, 1, ntohs(address.sin_port));
    const auto view = run(hook, server, us, {.flags = rst | ack});
    ASSERT_EQ(view.size(), 1U);
    const std::uint32_t next = view[0].socket.rcv_nxt;
    const std::uint32_t sent = view[0].socket.snd_nxt;
    // The flow is known from here on.
    ASSERT_EQ(run(hook, server, us, {.seq = next, .ack_number = sent, .payload = Bytes(10, 1)}).size(), 1U);
    const std::uint32_t far = next + 300'000'000;
    const auto refused = [&](const Segment& segment) {
      const auto records = run(hook, server, us, segment);
      return records.size() == 1 ? std::pair<int, int>{records[0].refused, records[0].event_flags}
                                 : std::pair<int, int>{-1, -1};
    };
    EXPECT_EQ(refused({.seq = far, .flags = syn}), std::pair(int{TW_REFUSED_SYN}, int{TW_EVENT_SYN}));
    EXPECT_EQ(refused({.seq = far, .ack_number = sent, .window = 0}), std::pair(int{TW_REFUSED_BEYOND}, 0));
    EXPECT_EQ(refused({.seq = next + 10, .ack_number = sent + 70000, .window = 0}), std::pair(int{TW_REFUSED_ACK}, 0));
    EXPECT_EQ(refused({.seq = far, .ack_number = sent, .flags = fin | ack}),
              std::pair(int{TW_REFUSED_BEYOND}, int{TW_EVENT_FIN}));
    EXPECT_EQ(refused({.seq = far, .flags = rst}),
              std::pair(int{TW_REFUSED_BEYOND}, int{TW_EVENT_RST | TW_EVENT_OUT_OF_ORDER}));
    EXPECT_EQ(refused({.seq = far, .ack_number = sent, .payload = Bytes(10, 1)}), std::pair(int{TW_REFUSED_BEYOND}, 0));
    // The next bytes are the next bytes, the counters go on, and no window was closed.
    EXPECT_TRUE(run(hook, server, us, {.seq = next + 10, .ack_number = sent, .payload = Bytes(10, 1)}).empty());
    const auto last = run(hook, server, us, {.seq = next + 20, .ack_number = sent, .flags = fin | ack});
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0].event_flags, TW_EVENT_FIN);
    EXPECT_EQ(last[0].refused, TW_REFUSED_NOT);
    EXPECT_EQ(last[0].wire.bytes_in, 30U);          // those refused included: the wire carried them
    EXPECT_EQ(last[0].wire.retrans_bytes_in, 10U);  // payload that TCP refuses is no new payload
    EXPECT_EQ(last[0].loss.retrans_segs_in, 0U);
  }
}

// RFC 9293, 3.10.7.3: a RST for a SYN must acknowledge it. The SYN of who connects at the same time need not.
TEST_F(Sockets, WhoConnectsRefusesWhatDoesNotAcknowledgeItsSyn) {
  for (const Hook hook : arriving) {
    SCOPED_TRACE(name_of(hook));
    const auto [us, them] = fresh_ends();
    const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = inet_addr("10.0.0.1");
    address.sin_port = htons(us.port);
    ASSERT_EQ(bind(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    address.sin_addr.s_addr = inet_addr("10.0.0.200");  // nobody is there
    address.sin_port = htons(them.port);
    ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), -1);
    ASSERT_EQ(errno, EINPROGRESS);
    const auto told = [&](const Segment& segment) {
      const auto records = run(hook, them, us, segment);
      return records.size() == 1 ? records[0] : tw_segment{};
    };
    const tw_segment bare = told({.seq = 1, .flags = rst});
    ASSERT_EQ(bare.socket.type, TW_SOCKET_FULL);
    ASSERT_EQ(bare.socket.state, 2);
    EXPECT_EQ(bare.refused, TW_REFUSED_ACK);
    const std::uint32_t next = bare.socket.snd_nxt;
    EXPECT_EQ(told({.seq = 1, .ack_number = next, .flags = rst | ack}).refused, TW_REFUSED_NOT);
    EXPECT_EQ(told({.seq = 1, .ack_number = next - 1, .flags = rst | ack}).refused, TW_REFUSED_ACK);
    EXPECT_EQ(told({.seq = 2, .flags = syn | rst}).refused, TW_REFUSED_ACK);
    EXPECT_EQ(told({.seq = 3, .flags = fin}).refused, TW_REFUSED_ACK);
    const tw_segment crossing = told({.seq = 4, .flags = syn});
    EXPECT_EQ(crossing.event_flags, TW_EVENT_SYN);
    EXPECT_EQ(crossing.refused, TW_REFUSED_NOT);
    // Its socket is in SYN_SENT as long as that SYN only waits to be processed.
    EXPECT_EQ(told({.seq = 5, .flags = rst}).refused, TW_REFUSED_NOT);
  }
}

TEST_F(Sockets, ForwardedSegmentsAreNotOurs) {
  const Endpoint from = ipv4_endpoint(10, 0, 0, 7, 1234);
  const Endpoint beyond = ipv4_endpoint(10, 0, 0, 9, 443);
  for (const Hook hook : arriving) {
    SCOPED_TRACE(name_of(hook));
    // Not ours and not forwarded either: reported, as long as this machine is no router.
    EXPECT_EQ(run(hook, from, beyond, {.flags = syn}).size(), 1U);
  }
  std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1\n";
  for (const Hook hook : arriving) {
    SCOPED_TRACE(name_of(hook));
    EXPECT_EQ(run(hook, from, beyond, {.flags = syn}).size(), 0U);
    EXPECT_EQ(run(hook, from, beyond, {.flags = rst}).size(), 0U);
    // To one of our own addresses: ours, router or not.
    EXPECT_EQ(run(hook, from, ipv4_endpoint(10, 0, 0, 1, 81), {.flags = syn}).size(), 1U);
  }
  std::ofstream("/proc/sys/net/ipv4/ip_forward") << "0\n";
}

// What is held back until the digest of a socket.
class HeldSyns : public WireSuite<HeldSyns> {
 public:
  static Settings settings() {
    Settings settings;
    settings.config.no_timeline = 1;
    settings.config.digests = TW_DIGESTS;
    return settings;
  }
};

// Each segment is judged by itself, whatever the one before it on this processor was: another SYN releases the held one
// of its own direction, a RST those of both ends.
TEST_F(HeldSyns, AnotherSynReleasesThoseOfItsOwnEndAlone) {
  const Listener listener;
  ASSERT_TRUE(listener.ok());
  for (const Hook hook : arriving) {
    SCOPED_TRACE(name_of(hook));
    const auto run = [&](const Endpoint& from, const Endpoint& to, const Segment& segment) {
      return wire->run(hook, build({}, from, to, segment).bytes).records;
    };
    const Endpoint one = ipv4_endpoint(10, 0, 0, 1, 443);
    const Endpoint other = ipv4_endpoint(10, 0, 1, static_cast<std::uint8_t>(hook), 443);
    EXPECT_TRUE(run(other, one, {.seq = 100, .flags = syn}).empty());
    EXPECT_TRUE(run(one, other, {.seq = 200, .flags = syn}).empty());
    const auto [us, them] = fresh_ends();
    EXPECT_EQ(run(them, us, {.flags = rst}).size(), 1U);
    const auto released = run(other, one, {.seq = 5000, .flags = syn});
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].seq, 100U);
    const auto rest = run(other, one, {.seq = 5001, .flags = rst});
    ASSERT_EQ(rest.size(), 3U);
    EXPECT_EQ(rest[0].seq, 5000U);
    EXPECT_EQ(rest[1].seq, 200U);
    EXPECT_EQ(rest[2].event_flags & TW_EVENT_RST, TW_EVENT_RST);
  }
}

}  // namespace
}  // namespace tcpwitness::wire_test

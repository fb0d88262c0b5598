// SPDX-License-Identifier: Apache-2.0
// conversation.hpp: two ends of one TCP connection, reported segment by segment to the wire programs.
//
// The opener is this machine or the other one; every rule must hold for both, for each ingress hook and
// on both sides of sequence number 2^32, so the flow tests run for each Scene. Sequence numbers are
// relative to the two initial ones.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <ostream>
#include <string>

#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {

struct Scene {
  std::string name{};
  bool we_open = true;
  Hook arriving = Hook::ingress;
  Family family = Family::ipv4;
  std::uint32_t first_seq = 1000;  // the opener's initial sequence number
};
inline void PrintTo(const Scene& scene, std::ostream* out) { *out << scene.name; }

inline const std::vector<Scene>& scenes() {
  static const std::vector<Scene> all{
      {.name = "WeOpenTc"},
      {.name = "WeOpenXdpIpv6", .arriving = Hook::xdp, .family = Family::ipv6},
      {.name = "TheyOpenTcIpv6", .we_open = false, .family = Family::ipv6},
      {.name = "TheyOpenXdp", .we_open = false, .arriving = Hook::xdp},
      {.name = "WrapsInTheFirstData", .first_seq = 0xfffffff8},
      {.name = "WrapsAtTheSyn", .we_open = false, .first_seq = 0xffffffff},
      {.name = "WrapsTheSign", .first_seq = 0x7ffffff8},
  };
  return all;
}

// A socket that listens on port 443 of both families, in the namespace of the calling thread.
class Listener {
 public:
  Listener() {
    for (const int family : {AF_INET, AF_INET6}) {
      UniqueFd& fd = family == AF_INET ? ipv4_ : ipv6_;
      fd = UniqueFd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int on = 1;
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
      if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
      sockaddr_in6 any6{};
      sockaddr_in any4{};
      any6.sin6_family = AF_INET6;
      any4.sin_family = AF_INET;
      any6.sin6_port = any4.sin_port = htons(443);
      const auto* address =
          family == AF_INET ? reinterpret_cast<const sockaddr*>(&any4) : reinterpret_cast<const sockaddr*>(&any6);
      const socklen_t size = family == AF_INET ? sizeof(any4) : sizeof(any6);
      ok_ = ok_ && bind(fd.get(), address, size) == 0 && listen(fd.get(), 5) == 0;
    }
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  UniqueFd ipv4_;
  UniqueFd ipv6_;
  bool ok_ = true;
};

class Conversation {
 public:
  Conversation(WireProgram& wire, const Scene& scene) : wire_(wire), scene_(scene) {
    const auto [high_port, known_port] = fresh_ends(scene.family);
    local_ = high_port;
    remote_ = known_port;
    if (!scene.we_open) std::swap(local_.port, remote_.port);
    first_[0] = scene.first_seq;
    first_[1] = scene.first_seq + 0x12345678;
  }

  // One segment; its numbers are relative to the initial ones of its sender and receiver (SYN is 0).
  // Returns why it is an event, -1 when it is none. last() is the record.
  int opener(const Segment& segment, const Arrival& arrival = {}) { return say(0, segment, arrival); }
  int accepter(const Segment& segment, const Arrival& arrival = {}) { return say(1, segment, arrival); }

  // The three segments of the handshake; both sides stand at 1 after it.
  void handshake() {
    EXPECT_EQ(opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN);
    EXPECT_EQ(accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN);
    EXPECT_EQ(opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  }

  // The IPv4 identification of a side's newest packet: the next one has one more.
  [[nodiscard]] std::uint16_t ip_id(int side) const { return ip_id_[side]; }
  void set_ip_id(int side, std::uint16_t newest) { ip_id_[side] = newest; }

  // From now on packets have an IPv4 option, or an IPv6 extension header, that asks nothing; or no more.
  void extra_headers(bool on) { extra_headers_ = on; }

  // The opener's initial sequence number from now on.
  void open_anew(std::uint32_t further) { first_[0] += further; }

  // A side's initial sequence number, and what the flow map holds of that direction.
  [[nodiscard]] std::uint32_t first(int side) const { return first_[side]; }
  [[nodiscard]] std::optional<Half> half(int side) const { return wire_.half(local_, remote_, we(side)); }

  [[nodiscard]] const tw_segment& last() const { return last_; }
  // Counters of the last record as the opener's side: what it sent, then what it received.
  [[nodiscard]] std::uint64_t bytes_of_opener() const { return we(0) ? last_.wire.bytes_out : last_.wire.bytes_in; }
  [[nodiscard]] std::uint64_t bytes_of_accepter() const { return we(1) ? last_.wire.bytes_out : last_.wire.bytes_in; }
  [[nodiscard]] std::uint32_t segments_of_opener() const { return we(0) ? last_.wire.segs_out : last_.wire.segs_in; }
  [[nodiscard]] std::uint32_t segments_of_accepter() const { return we(1) ? last_.wire.segs_out : last_.wire.segs_in; }
  [[nodiscard]] std::uint32_t again_of_opener() const {
    return we(0) ? last_.wire.retrans_bytes_out : last_.wire.retrans_bytes_in;
  }
  [[nodiscard]] std::uint32_t again_segments_of_opener() const {
    return we(0) ? last_.loss.retrans_segs_out : last_.loss.retrans_segs_in;
  }
  [[nodiscard]] std::uint32_t again_segments_of_accepter() const {
    return we(1) ? last_.loss.retrans_segs_out : last_.loss.retrans_segs_in;
  }
  [[nodiscard]] std::uint32_t late_segments_of_accepter() const {
    return we(1) ? last_.loss.reordered_segs_out : last_.loss.reordered_segs_in;
  }
  [[nodiscard]] std::uint32_t again_of_accepter() const {
    return we(1) ? last_.wire.retrans_bytes_out : last_.wire.retrans_bytes_in;
  }

 private:
  [[nodiscard]] bool we(int side) const { return scene_.we_open == (side == 0); }

  int say(int side, Segment segment, const Arrival& arrival) {
    segment.seq += first_[side];
    if (segment.flags & ack) segment.ack_number += first_[1 - side];
    const Endpoint& from = we(side) ? local_ : remote_;
    const Endpoint& to = we(side) ? remote_ : local_;
    const Hook hook = we(side) ? Hook::egress : scene_.arriving;
    if (!segment.copy) ++ip_id_[side];
    Stack stack{.family = scene_.family, .ip_id = ip_id_[side]};
    if (extra_headers_ && scene_.family == Family::ipv4) stack.ipv4_options = {1, 1, 1, 0};
    if (extra_headers_ && scene_.family == Family::ipv6) stack.chain = {destination()};
    const Frame frame = build(stack, from, to, segment);
    const Outcome outcome = wire_.run(hook, frame.bytes, arrival);
    EXPECT_EQ(outcome.error, 0);
    EXPECT_LE(outcome.records.size(), 1U);
    if (outcome.records.empty()) return -1;
    last_ = outcome.records[0];
    EXPECT_EQ(last_.seq, segment.seq);
    // Once it is known no socket is asked for in vain: the accepter's is the listener, nobody has the opener's.
    return last_.event_flags & ~(we(side) || !scene_.we_open ? 0 : TW_EVENT_NO_SOCKET);
  }

  WireProgram& wire_;
  const Scene& scene_;
  Endpoint local_;
  Endpoint remote_;
  std::uint32_t first_[2]{};
  std::uint16_t ip_id_[2]{};
  bool extra_headers_ = false;
  tw_segment last_{};
};

// As many, whatever they are.
inline Bytes bytes(std::size_t count) { return Bytes(count, 0x42); }

inline constexpr int silent = -1;  // an ordinary segment: no record

class FlowSuite : public WireSuite<FlowSuite>, public testing::WithParamInterface<Scene> {
 protected:
  void SetUp() override {
    WireSuite::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    listener_.emplace();
    ASSERT_TRUE(listener_->ok());
    flow_.emplace(*wire, GetParam());
  }
  Conversation& flow() { return *flow_; }

 private:
  std::optional<Listener> listener_;
  std::optional<Conversation> flow_;
};

inline std::string scene_name(const testing::TestParamInfo<Scene>& info) { return info.param.name; }

}  // namespace tcpwitness::wire_test

// SPDX-License-Identifier: Apache-2.0
// pieces_test.cpp: real frames over a veth pair, for what BPF_PROG_TEST_RUN cannot make: headers that lie
// outside the linear part (the program pulls them) and a VLAN tag that the stack has already taken off.
//
// A packet socket sends each frame on tw0 with a virtio-net header that has how much of it is linear;
// the kernel honours that from a page upwards. wire_ingress hangs on tw1's tcx.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {
namespace {

// struct virtio_net_hdr; linux/virtio_net.h has a field named `class`.
struct PacketHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t linear = 0;  // hdr_len
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;
};
static_assert(sizeof(PacketHeader) == 10);

class Pieces : public WireSuite<Pieces> {
 protected:
  void SetUp() override {
    WireSuite::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(std::system("ip link set tw0 mtu 9000 && ip link set tw1 mtu 9000"), 0);
    auto link = wire->attach_ingress(Hook::ingress, wire->second_interface());
    if (!link) GTEST_SKIP() << link.error().message();
    link_ = std::move(*link);
    packets_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    const int on = 1;
    ASSERT_EQ(setsockopt(packets_.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
  }

  // Sends it with `linear` bytes in the linear part, 0: as the kernel likes; waits for a record.
  std::vector<tw_segment> send(const Bytes& frame, std::size_t linear) {
    const PacketHeader header{.linear = static_cast<std::uint16_t>(linear)};
    Bytes message(sizeof(header));
    std::memcpy(message.data(), &header, sizeof(header));
    message.insert(message.end(), frame.begin(), frame.end());
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(wire->first_interface());
    const auto sent =
        sendto(packets_.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    EXPECT_EQ(sent, static_cast<ssize_t>(message.size())) << std::strerror(errno);
    for (int i = 0; i < 200; i++) {
      if (auto records = wire->drain(); !records.empty()) return records;
      usleep(1000);
    }
    return {};
  }

 private:
  UniqueFd link_;
  UniqueFd packets_;
};

TEST_F(Pieces, HeadersOutsideTheLinearPartArePulledTogether) {
  for (const auto& stack : all_stacks()) {
    if (stack.raw_ip) continue;
    const auto [us, them] = fresh_ends(stack.family);
    const Segment segment{
        .flags = syn, .options = joined({option_mss(1400), option_wscale(5)}), .payload = Bytes(5000, 0x77)};
    const Frame frame = build(stack, them, us, segment);
    for (const std::size_t linear : {std::size_t{0}, std::size_t{14}, frame.ip + 20, frame.tcp, frame.tcp + 20}) {
      SCOPED_TRACE(fmt::format("{}, {} bytes linear", stack.name, linear));
      const auto records = send(frame.bytes, linear);
      ASSERT_EQ(records.size(), 1U);
      EXPECT_EQ(records[0].tuple.local_port, us.port);
      EXPECT_EQ(records[0].seq, segment.seq);
      EXPECT_EQ(records[0].flags, syn);
      EXPECT_EQ(records[0].len, 5000U);
      EXPECT_EQ(records[0].mss, 1400);
      EXPECT_EQ(records[0].wscale, 5);
      EXPECT_EQ(records[0].ifindex, wire->second_interface());
      EXPECT_FALSE(records[0].event_flags & TW_EVENT_BAD_HEADER);
    }
  }
}

// The inner tag, as XDP reports it, although the stack has taken the outer one off by now.
TEST_F(Pieces, TheVlanIdIsTheInnerTagWhateverTheHook) {
  for (const auto& stack : all_stacks()) {
    if (stack.raw_ip) continue;
    SCOPED_TRACE(stack.name);
    const auto [us, them] = fresh_ends(stack.family);
    const auto records = send(build(stack, them, us, {.flags = syn}).bytes, 0);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].vlan_id, stack.tags.empty() ? 0 : stack.tags.back().id);
  }
}

}  // namespace
}  // namespace tcpwitness::wire_test

// SPDX-License-Identifier: Apache-2.0
// verifier_test.cpp: what each program costs the verifier. The kernel's limit is a million instructions
// processed; the budget leaves room for kernels whose verifier prunes less than this one's.
#include <fmt/format.h>

#include "bpf/objects.hpp"
#include "bpf/wire_program.hpp"
#include "probe/log.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::uint32_t budget = 150000;

struct CostCase {
  const char* name;
  tw_config config;
};

// The most that the command line can ask for: 16 ports, 8 prefixes that end inside a word.
tw_config everything() {
  tw_config config{};
  config.netns = 4026531840;
  config.tick_us = 4000;
  config.wake_bytes = 2 << 20;
  config.has_reset_reason = 1;
  config.has_retransmit_err = 0;
  config.port_count = TW_MAX_PORTS;
  for (std::uint16_t i = 0; i < TW_MAX_PORTS; i++) config.ports[i] = static_cast<std::uint16_t>(8000 + i);
  config.host_count = TW_MAX_HOSTS;
  for (std::uint8_t i = 0; i < TW_MAX_HOSTS; i++) {
    for (auto& byte : config.hosts[i].addr) byte = static_cast<std::uint8_t>(0x20 + i);
    config.hosts[i].addr[15] &= 0xf0;
    config.hosts[i].prefix_bits = 124;
  }
  return config;
}

tw_config plain() {
  tw_config config{};
  config.tick_us = 4000;
  config.wake_bytes = 2 << 20;
  return config;
}

tw_config with_packets_all(tw_config config) {
  config.packets_all = 1;
  return config;
}

tw_config with_bytes(tw_config config, std::uint32_t snaplen) {
  config.snaplen = snaplen;
  return config;
}

tw_config with_forwarded(tw_config config) {
  config.forwarded = 1;
  return config;
}

using Verifier = BpfTest;

TEST_F(Verifier, EveryProgramStaysWellBelowTheLimit) {
  const std::vector<CostCase> cases{
      {"plain", plain()},
      {"--packets all", with_packets_all(plain())},
      {"16 ports, 8 hosts", everything()},
      {"16 ports, 8 hosts, all", with_packets_all(everything())},
      {"recording", with_bytes(plain(), 128)},
      {"recording, most of all", with_bytes(with_packets_all(everything()), TW_SNAPLEN_MAX)},
      {"--forwarded", with_forwarded(plain())},
      {"--forwarded, most of all", with_forwarded(with_bytes(everything(), TW_SNAPLEN_MAX))}};
  std::map<std::string, std::vector<std::uint32_t>> table;
  std::string header = fmt::format("{:<34}", "instructions processed");
  for (const auto& one : cases) {
    header += fmt::format("{:>24}", one.name);
    const auto objects = load_objects(one.config);
    ASSERT_TRUE(objects) << one.name << ": " << objects.error().message();
    for (const auto& object : *objects) {
      for (const auto& [program, why] : object.refused) fmt::print("{} is off: {}\n", program, why);
      for (const auto& [program, instructions] : object.instructions) {
        table[object.name + " " + program].push_back(instructions);
        EXPECT_GT(instructions, 0U) << program;
        EXPECT_LT(instructions, budget) << program << ", " << one.name;
      }
    }
  }
  fmt::print("{}\n", header);
  for (const auto& [program, costs] : table) {
    fmt::print("{:<34}", program);
    for (const std::uint32_t cost : costs) fmt::print("{:>24}", cost);
    fmt::print("\n");
  }
}

// A wire program that is refused leaves half of the evidence out: here it is an error, not a notice.
TEST_F(Verifier, NoWireOrSnapshotProgramIsRefused) {
  const auto objects = load_objects(plain());
  ASSERT_TRUE(objects) << objects.error().message();
  ASSERT_EQ(objects->size(), 3U);
  EXPECT_EQ(objects->at(1).refused.size(), 0U);
  EXPECT_EQ(objects->at(1).instructions.size(), 6U);
  EXPECT_EQ(objects->at(2).refused.size(), 0U);
  EXPECT_EQ(objects->at(2).instructions.size(), 7U);
}

// As Linux 5.10 and 6.1 with libbpf 1.1 write them.
TEST(Refusal, IsOneSentenceThatNamesWhatTheKernelLacks) {
  const auto log = [](const std::string& verifier) {
    return "libbpf: prog 'x': BPF program load failed: Invalid argument\nlibbpf: prog 'x': -- BEGIN PROG LOAD LOG "
           "--\n" +
           verifier +
           "processed 655 insns (limit 1000000)\n-- END PROG LOAD LOG --\nlibbpf: prog 'x': failed to load: -22\n";
  };
  const std::string field =
      log("751: <invalid CO-RE relocation>\n"
          "failed to resolve CO-RE relocation <byte_off> [93] struct tcp_sock.dsack_dups (0:1:0:0 @ offset 4)\n");
  EXPECT_EQ(failed_program(field), "x");
  EXPECT_EQ(refusal_in_words(field), "this kernel has no field tcp_sock.dsack_dups");
  EXPECT_EQ(refusal_in_words(log("12: (85) call bpf_get_socket_cookie#46\nunknown func bpf_get_socket_cookie#46\n")),
            "this kernel has no bpf_get_socket_cookie() for such programs");
  EXPECT_EQ(refusal_in_words(log("Arg#0 type PTR in rules_tuple_wanted() is not supported yet.\n")),
            "this kernel's BPF functions take no pointers (since Linux 5.12)");
  EXPECT_EQ(refusal_in_words(log("BPF program is too large. Processed 1000001 insn\n")),
            "this kernel's verifier finds it too large");
  EXPECT_EQ(refusal_in_words(log("R0 offset is outside of the packet\n")),
            "this kernel's verifier refuses it ('tcpwitness doctor' shows its words)");
  EXPECT_TRUE(verifier_tail(field).contains("dsack_dups"));
}

}  // namespace
}  // namespace tcpwitness::wire_test

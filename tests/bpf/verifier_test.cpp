// SPDX-License-Identifier: Apache-2.0
// verifier_test.cpp: what each program costs the verifier. The kernel's limit is a million instructions
// processed; the budget leaves room for kernels whose verifier prunes less than this one's. (Linux 6.1 processes
// 196,000 of wire_egress with --forwarded, 6.18 124,000.)
//
// verifier_baseline.txt beside this file is what they cost when somebody looked last. A program that costs a tenth more
// fails; with TCPWITNESS_UPDATE_GOLDEN=1 the file is written anew, to be read in the diff. Counts depend on kernel and
// compiler: others skip.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bpf/objects.hpp"
#include "bpf/wire_program.hpp"
#include "probe/kernel_hooks.hpp"
#include "probe/log.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::uint32_t budget = 250000;

struct CostCase {
  const char* name;
  tw_config config;
};

// What the tracepoints of this kernel pass, as the tracer asks: a program that reads more of them is refused.
tw_config plain() {
  const DisabledFeatures none("");
  tw_config config{};
  config.tick_us = 4000;
  config.wake_bytes = 2 << 20;
  config.has_reset_reason = has_argument("tcp_send_reset", 2, none) ? 1 : 0;
  config.has_retransmit_err = has_argument("tcp_retransmit_skb", 2, none) ? 1 : 0;
  config.has_drop_sk = has_argument("kfree_skb", 3, none) ? 1 : 0;
  return config;
}

// The most that the command line can ask for: ports and hosts.
tw_config everything() {
  tw_config config = plain();
  config.netns = 4026531840;
  config.some_ports = 1;
  config.some_hosts = 1;
  return config;
}

tw_config with_packets_all(tw_config config) {
  config.packets_all = 1;
  return config;
}

tw_config with_digests(tw_config config) {
  config.no_timeline = 1;
  config.digests = TW_DIGESTS;
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

std::vector<CostCase> cost_cases() {
  return {{"plain", plain()},
          {"a life", with_digests(plain())},
          {"a life, ports, hosts", with_digests(everything())},
          {"--packets all", with_packets_all(plain())},
          {"ports, hosts", everything()},
          {"ports, hosts, all", with_packets_all(everything())},
          {"recording", with_bytes(plain(), 128)},
          {"recording, most of all", with_bytes(with_packets_all(everything()), TW_SNAPLEN_MAX)},
          {"--forwarded", with_forwarded(plain())},
          {"--forwarded, most of all", with_forwarded(with_bytes(everything(), TW_SNAPLEN_MAX))}};
}

// What each program costs in each case, in the order of cost_cases(); or what could not be loaded.
using Costs = std::map<std::string, std::vector<std::uint32_t>>;

Result<Costs> measure_costs() {
  Costs costs;
  for (const auto& one : cost_cases()) {
    const auto objects = load_objects(one.config);
    if (!objects) return std::unexpected(objects.error());
    for (const auto& object : *objects) {
      for (const auto& [program, why] : object.refused) fmt::print("{} is off: {}\n", program, why);
      for (const auto& [program, instructions] : object.instructions) costs[program].push_back(instructions);
    }
  }
  return costs;
}

const Result<Costs>& costs() {
  static const Result<Costs> once = measure_costs();  // takes seconds
  return once;
}

struct Baseline {
  std::string made_with{};  // kernel and compiler
  std::map<std::string, std::pair<std::uint32_t, std::uint32_t>>
      costs{};  // in the plain case, and the most of all cases
};

constexpr auto baseline_path = TCPWITNESS_VERIFIER_BASELINE;

std::pair<std::uint32_t, std::uint32_t> plain_and_most(const std::vector<std::uint32_t>& cost) {
  return {cost.front(), std::ranges::max(cost)};
}

// "Linux 6.18, clang 14": releases within a version hardly ever change the verifier.
std::string made_with() {
  utsname name{};
  uname(&name);
  const std::string release = name.release;
  return fmt::format("Linux {}, clang {}", release.substr(0, release.find_first_of(".-", release.find('.') + 1)),
                     TCPWITNESS_BPF_CLANG);
}

Baseline read_baseline() {
  Baseline baseline;
  std::ifstream file(baseline_path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    if (baseline.made_with.empty()) {
      baseline.made_with = line;
      continue;
    }
    std::istringstream words(line);
    std::string program;
    std::uint32_t plain = 0;
    std::uint32_t most = 0;
    if (words >> program >> plain >> most) baseline.costs[program] = {plain, most};
  }
  return baseline;
}

void write_baseline(const Costs& now) {
  std::ofstream file(baseline_path);
  file << "# Instructions that the verifier processes: program, plain, most of all cases. See verifier_test.cpp.\n"
       << made_with() << '\n';
  for (const auto& [program, cost] : now) {
    const auto [plain, most] = plain_and_most(cost);
    file << fmt::format("{:<28}{:>8}{:>8}\n", program, plain, most);
  }
}

// A tenth, and a little for the smallest.
constexpr std::uint32_t allowed(std::uint32_t before) { return before + before / 10 + 50; }

using Verifier = BpfTest;

TEST_F(Verifier, EveryProgramStaysWellBelowTheLimit) {
  ASSERT_TRUE(costs()) << costs().error().message();
  fmt::print("{:<28}", "instructions processed");
  for (const auto& one : cost_cases()) fmt::print("{:>25}", one.name);
  fmt::print("\n");
  for (const auto& [program, cost] : *costs()) {
    fmt::print("{:<28}", program);
    EXPECT_EQ(cost.size(), cost_cases().size()) << program << " is refused in some cases";
    for (const std::uint32_t one : cost) {
      fmt::print("{:>25}", one);
      EXPECT_GT(one, 0U) << program;
      EXPECT_LT(one, budget) << program;
    }
    fmt::print("\n");
  }
}

TEST_F(Verifier, NoProgramCostsATenthMoreThanItsBaseline) {
  ASSERT_TRUE(costs()) << costs().error().message();
  if (const char* update = std::getenv("TCPWITNESS_UPDATE_GOLDEN"); update != nullptr && *update == '1')
    write_baseline(*costs());
  const Baseline baseline = read_baseline();
  ASSERT_FALSE(baseline.costs.empty()) << baseline_path << " is missing; TCPWITNESS_UPDATE_GOLDEN=1 writes it";
  if (baseline.made_with != made_with())
    GTEST_SKIP() << "the baseline is of " << baseline.made_with << ", this is " << made_with();
  for (const auto& [program, cost] : *costs()) {
    const auto before = baseline.costs.find(program);
    ASSERT_NE(before, baseline.costs.end())
        << program << " is new: TCPWITNESS_UPDATE_GOLDEN=1 adds it to " << baseline_path;
    const auto [plain, most] = plain_and_most(cost);
    EXPECT_LE(plain, allowed(before->second.first)) << program << "; if this is wanted: TCPWITNESS_UPDATE_GOLDEN=1";
    EXPECT_LE(most, allowed(before->second.second)) << program << "; if this is wanted: TCPWITNESS_UPDATE_GOLDEN=1";
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
  EXPECT_EQ(objects->at(2).instructions.size(), 10U);
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

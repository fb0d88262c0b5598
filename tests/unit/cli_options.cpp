// SPDX-License-Identifier: Apache-2.0
// cli_options.cpp: command lines to plain values, or to a sentence that says what is wrong and valid.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "cli/options.hpp"
#include "cli/values.hpp"

namespace tcpwitness {
namespace {

using namespace std::chrono_literals;

Parsed parsed(const std::vector<std::string>& arguments) { return parse(arguments, "1.2.3"); }

Options options(const std::vector<std::string>& arguments) {
  const Parsed result = parsed(arguments);
  if (const auto* error = std::get_if<UsageError>(&result)) ADD_FAILURE() << error->text;
  return std::holds_alternative<Options>(result) ? std::get<Options>(result) : Options{};
}

std::string refused(const std::vector<std::string>& arguments) {
  const Parsed result = parsed(arguments);
  return std::holds_alternative<UsageError>(result) ? std::get<UsageError>(result).text : "(accepted)";
}

std::string told(const std::vector<std::string>& arguments) {
  const Parsed result = parsed(arguments);
  return std::holds_alternative<Information>(result) ? std::get<Information>(result).text : "(not told)";
}

TEST(Options, DefaultsAreLifeOfEverythingWithBothWitnesses) {
  const Options defaults = options({});
  EXPECT_EQ(defaults.command, Command::life);
  EXPECT_TRUE(defaults.interfaces.empty());
  EXPECT_EQ(defaults.pid, 0U);
  EXPECT_EQ(defaults.format, OutputFormat::text);
  EXPECT_EQ(defaults.wire, WireMode::automatic);
  EXPECT_TRUE(defaults.kernel);
  EXPECT_EQ(defaults.ring_bytes, 8U << 20U);
  EXPECT_EQ(defaults.flows, 65536U);
  EXPECT_EQ(defaults.stuck_after, 10s);
  EXPECT_FALSE(defaults.duration);
  EXPECT_FALSE(defaults.count);
  EXPECT_FALSE(defaults.packets_all);
}

TEST(Options, EachOptionIsRead) {
  const Options all = options(
      {"trace",       "-i",        "eth0",         "-i",          "lo",       "-p",      "42",         "--comm",
       "curl",        "--port",    "80",           "--port",      "443,8080", "--host",  "10.0.0.0/8", "--host",
       "2001:db8::1", "-o",        "json",         "-d",          "1.5",      "-c",      "9",          "--wire",
       "xdp-generic", "--netns",   "/run/netns/a", "--ring-size", "64K",      "--flows", "2048",       "--stuck-after",
       "0.25",        "--packets", "all"});
  EXPECT_EQ(all.command, Command::trace);
  EXPECT_EQ(all.interfaces, (std::vector<std::string>{"eth0", "lo"}));
  EXPECT_EQ(all.pid, 42U);
  EXPECT_EQ(all.comm, "curl");
  EXPECT_EQ(all.ports, (std::vector<std::uint16_t>{80, 443, 8080}));
  ASSERT_EQ(all.hosts.size(), 2U);
  EXPECT_EQ(all.hosts[0].bits, 104U);
  EXPECT_EQ(all.hosts[1].bits, 128U);
  EXPECT_EQ(all.format, OutputFormat::json);
  EXPECT_EQ(all.duration, 1500ms);
  EXPECT_EQ(all.count, 9U);
  EXPECT_EQ(all.wire, WireMode::xdp_generic);
  EXPECT_EQ(all.netns, "/run/netns/a");
  EXPECT_EQ(all.ring_bytes, 65536U);
  EXPECT_EQ(all.flows, 2048U);
  EXPECT_EQ(all.stuck_after, 250ms);
  EXPECT_TRUE(all.packets_all);
}

TEST(Options, EveryWireModeHasItsName) {
  for (const WireMode mode : {WireMode::automatic, WireMode::xdp, WireMode::xdp_native, WireMode::xdp_generic,
                              WireMode::tc, WireMode::none}) {
    EXPECT_EQ(options({"--wire", std::string(name(mode))}).wire, mode);
  }
}

TEST(Options, SharedOptionsStandBeforeOrAfterTheCommand) {
  EXPECT_EQ(options({"-p", "7"}).pid, 7U);
  EXPECT_EQ(options({"-p", "7", "life"}).pid, 7U);
  EXPECT_EQ(options({"life", "-p", "7"}).pid, 7U);
  const Options both = options({"--port", "80", "trace", "--port", "81"});
  EXPECT_EQ(both.command, Command::trace);
  EXPECT_EQ(both.ports, (std::vector<std::uint16_t>{80, 81}));
}

TEST(Options, ValuesMayBeAttached) {
  EXPECT_EQ(options({"--pid=7"}).pid, 7U);
  EXPECT_EQ(options({"-p7"}).pid, 7U);
}

TEST(Options, RepeatingAPortCountsOnce) {
  std::vector<std::string> many;
  for (int port = 1; port <= 16; ++port) many.insert(many.end(), {"--port", std::to_string(port), "--port", "1"});
  EXPECT_EQ(options(many).ports.size(), 16U);
}

TEST(Options, MainSkipsTheProgramsName) {
  const std::array<const char*, 3> argv{"tcpwitness", "-p", "7"};
  EXPECT_EQ(std::get<Options>(parse(3, argv.data(), "1")).pid, 7U);
  EXPECT_TRUE(std::holds_alternative<Options>(parse(0, argv.data(), "1")));
}

struct Refusal {
  std::vector<std::string> arguments;
  std::vector<std::string> says;
};

class OptionsRefuse : public testing::TestWithParam<Refusal> {};

TEST_P(OptionsRefuse, WithASentenceThatSaysWhatIsValid) {
  const std::string text = refused(GetParam().arguments);
  EXPECT_TRUE(text.starts_with("tcpwitness: ")) << text;
  EXPECT_TRUE(text.contains("--help")) << text;
  for (const std::string& part : GetParam().says) EXPECT_TRUE(text.contains(part)) << part << " is not in " << text;
}

INSTANTIATE_TEST_SUITE_P(
    Each, OptionsRefuse,
    testing::Values(
        Refusal{{"--port", "0"}, {"--port", "'0'", "1 to 65535"}}, Refusal{{"--port", "65536"}, {"1 to 65535"}},
        Refusal{{"--port", "http"}, {"'http'", "1 to 65535"}}, Refusal{{"--port", "80,"}, {"''", "1 to 65535"}},
        Refusal{{"--port", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"}, {"17 different ports", "at most 16"}},
        Refusal{{"--host", "1.2.3"}, {"'1.2.3'", "192.0.2.0/24"}},
        Refusal{{"--host", "::1", "--host", "::2", "--host", "::3", "--host", "::4", "--host", "::5", "--host", "::6",
                 "--host", "::7", "--host", "::8", "--host", "::9"},
                {"9 networks", "at most 8"}},
        Refusal{{"-p", "0"}, {"--pid", "from 1 to 4194304"}}, Refusal{{"-p", "-5"}, {"--pid", "'-5'"}},
        Refusal{{"-p", "1", "-p", "2"}, {"--pid", "2 times"}},
        Refusal{{"--comm", "sixteen-letters-"}, {"15 bytes", "'sixteen-letters'"}}, Refusal{{"--comm", ""}, {"--comm"}},
        Refusal{{"-i", ""}, {"--interface"}}, Refusal{{"-i", "sixteen-letters-"}, {"1 to 15"}},
        Refusal{{"-i", "a/b"}, {"'a/b'"}}, Refusal{{"-o", "xml"}, {"--output", "'xml'", "text, json"}},
        Refusal{{"-d", "0"}, {"--duration", "above 0"}}, Refusal{{"-d", "-1"}, {"above 0"}},
        Refusal{{"-d", "nan"}, {"above 0"}}, Refusal{{"-d", "inf"}, {"above 0"}}, Refusal{{"-d", "1s"}, {"'1s'"}},
        Refusal{{"-d", "1e10"}, {"1e9"}}, Refusal{{"-d"}, {"--duration needs a value"}},
        Refusal{{"-c", "0"}, {"--count", "from 1 to"}}, Refusal{{"-c", "1.5"}, {"'1.5'"}},
        Refusal{{"--wire", "ebpf"}, {"'ebpf'", "auto, xdp, xdp-native, xdp-generic, tc, none"}},
        Refusal{{"--kernel", "yes"}, {"'yes'", "on, off"}},
        Refusal{{"--wire", "none", "--kernel", "off"}, {"no witness"}},
        Refusal{{"--kernel", "off", "-p", "1"}, {"--pid", "--kernel off"}},
        Refusal{{"--wire", "none", "-i", "lo"}, {"--interface", "--wire none"}},
        Refusal{{"--ring-size", "5M"}, {"power of two", "4M or 8M"}}, Refusal{{"--ring-size", "32K"}, {"64K to 1G"}},
        Refusal{{"--ring-size", "2G"}, {"64K to 1G"}}, Refusal{{"--ring-size", "18446744073709551615K"}, {"64K to 1G"}},
        Refusal{{"--ring-size", "M"}, {"64K to 1G"}}, Refusal{{"--flows", "1"}, {"from 1024 to"}},
        Refusal{{"--stuck-after", "0"}, {"--stuck-after", "above 0"}},
        Refusal{{"--packets", "all"}, {"trace --packets all"}},
        Refusal{{"trace", "--packets", "some"}, {"events, all"}}, Refusal{{"--netns", ""}, {"--netns"}},
        Refusal{{"--prot", "80"}, {"no option '--prot'", "did you mean '--port'?"}},
        Refusal{{"-z"}, {"no option '-z'"}}, Refusal{{"trcae"}, {"'trcae' is not a command", "did you mean 'trace'?"}},
        Refusal{{"life", "trace"}, {"two commands"}}, Refusal{{"-p", "1", "2"}, {"'2' is not a command"}},
        Refusal{{"trace", "--host"}, {"--host needs a value"}}));

TEST(Options, TheLargestAndSmallestRingsAreAccepted) {
  EXPECT_EQ(options({"--ring-size", "65536"}).ring_bytes, 65536U);
  EXPECT_EQ(options({"--ring-size", "1G"}).ring_bytes, 1U << 30U);
  EXPECT_EQ(options({"--ring-size", "1024m"}).ring_bytes, 1U << 30U);
  // A page may be larger than 64K.
  EXPECT_FALSE(cli::ring_size("64K", 131072));
}

TEST(Options, TheVersionIsToldOnItsOwn) { EXPECT_EQ(told({"--version"}), "tcpwitness 1.2.3\n"); }

TEST(Options, HelpTellsOfTheCommandAskedFor) {
  EXPECT_TRUE(told({"--help"}).starts_with("tcpwitness hears every TCP connection"));
  EXPECT_TRUE(told({"-h"}).contains("Examples:"));
  EXPECT_TRUE(told({"life", "--help"}).starts_with("tcpwitness life: "));
  EXPECT_TRUE(told({"trace", "--help"}).starts_with("tcpwitness trace: "));
}

TEST(Options, EveryOptionIsInTheHelp) {
  const std::string page = told({"trace", "--help"});
  for (const char* option : {"-i, --interface", "-p, --pid", "--comm", "--port", "--host", "--netns", "-o, --output",
                             "-d, --duration", "-c, --count", "--stuck-after", "--wire", "--kernel", "--ring-size",
                             "--flows", "--packets", "-h, --help", "--version"}) {
    EXPECT_TRUE(page.contains(option)) << option;
  }
  for (const char* mode : {"auto", "xdp", "xdp-native", "xdp-generic", "tc", "none"}) EXPECT_TRUE(page.contains(mode));
}

TEST(Options, HelpFitsANarrowTerminal) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"life", "--help"}, {"trace", "--help"}}) {
    std::istringstream page(told(arguments));
    for (std::string line; std::getline(page, line);) EXPECT_LE(line.size(), 90U) << line;
  }
}

}  // namespace
}  // namespace tcpwitness

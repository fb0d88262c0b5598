// SPDX-License-Identifier: Apache-2.0
// cli_options.cpp: command lines to plain values, or to a sentence that says what is wrong and valid.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include "cli/live_alone.hpp"
#include "cli/option_table.hpp"
#include "cli/options.hpp"
#include "cli/pages.hpp"
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

std::string reported(const std::vector<std::string>& arguments) {
  const Parsed result = parsed(arguments);
  return std::holds_alternative<Information>(result) ? std::get<Information>(result).text : "(no information)";
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
  EXPECT_FALSE(defaults.stuck_after);
  EXPECT_FALSE(defaults.duration);
  EXPECT_FALSE(defaults.count);
  EXPECT_FALSE(defaults.packets_all);
  EXPECT_FALSE(defaults.forwarded);
  EXPECT_TRUE(options({"trace", "--forwarded"}).forwarded);
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
  EXPECT_EQ(all.ports, (std::vector<PortRange>{{80, 80}, {443, 443}, {8080, 8080}}));
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
  EXPECT_EQ(both.ports, (std::vector<PortRange>{{80, 80}, {81, 81}}));
}

TEST(Options, ValuesMayBeAttached) {
  EXPECT_EQ(options({"--pid=7"}).pid, 7U);
  EXPECT_EQ(options({"-p7"}).pid, 7U);
}

TEST(Options, PortsAreARangeToo) {
  EXPECT_EQ(options({"--port", "80-82,443"}).ports, (std::vector<PortRange>{{80, 82}, {443, 443}}));
  const Options many = options({"record", "-w", "x", "--port", "8000-8099", "--port", "65535-65535"});
  EXPECT_EQ(many.ports, (std::vector<PortRange>{{8000, 8099}, {65535, 65535}}));
}

TEST(Options, WordsAreAnExpression) {
  EXPECT_EQ(options({"port 443 and net 10/8"}).expression, "port 443 and net 10/8");
  EXPECT_EQ(options({"port", "443", "-o", "json"}).expression, "port 443");
  EXPECT_EQ(options({"trace", "tcp", "-d", "1", "port", "80"}).expression, "tcp port 80");
  EXPECT_EQ(options({"record", "-w", "x", "port 80"}).expression, "port 80");
  EXPECT_TRUE(options({"read", "x", "port 80"}).expression.empty());
}

TEST(Options, WhatFollowsTwoDashesIsRun) {
  const Options all = options({"explain", "--port", "80", "--", "curl", "-o", "x", "--", "http://h/"});
  EXPECT_EQ(all.program, (std::vector<std::string>{"curl", "-o", "x", "--", "http://h/"}));
  EXPECT_EQ(all.ports.size(), 1U);
  EXPECT_TRUE(all.of_some_processes());
  EXPECT_EQ(options({"port 80", "--", "life"}).program, std::vector<std::string>{"life"});
  EXPECT_EQ(options({"read", "--", "-x.pcap"}).read.path, "-x.pcap");
}

// "read" and "doctor" are files' and entries' where they are the command, not where they are a value or another's word.
TEST(Options, OnlyTheCommandSaysWhatFollowsTwoDashes) {
  for (const std::vector<std::string>& own : {std::vector<std::string>{"--comm", "read"},
                                              {"--comm=read"},
                                              {"-qw", "read"},
                                              {"-i", "doctor"},
                                              {"-idoctor"},
                                              {"explain", "--comm", "doctor"},
                                              {"--problems", "life", "--uid", "read"}}) {
    std::vector<std::string> arguments = own;
    arguments.insert(arguments.end(), {"--", "curl", "read"});
    const bool recording = own.front() == "-qw";  // belongs to record, which is not given
    if (recording) {
      EXPECT_TRUE(refused(arguments).contains("record")) << own.front();
    } else {
      EXPECT_EQ(options(arguments).program, (std::vector<std::string>{"curl", "read"})) << own.front();
    }
  }
  for (const std::vector<std::string>& file : {std::vector<std::string>{"read"},
                                               {"--comm", "curl", "read"},
                                               {"--problems", "read"},
                                               {"-ojson", "read"},
                                               {"--comm", "read", "read"}}) {
    std::vector<std::string> arguments = file;
    arguments.insert(arguments.end(), {"--", "-x.pcap"});
    EXPECT_EQ(options(arguments).read.path, "-x.pcap") << file.front();
    EXPECT_TRUE(options(arguments).program.empty()) << file.front();
  }
}

TEST(Options, ProcessesAreChosenByFamilyAndUser) {
  const Options all = options({"-p", "7", "--children", "--uid", "www-data"});
  EXPECT_TRUE(all.children);
  EXPECT_EQ(all.user, "www-data");
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

class OptionsRefuse : public ::testing::TestWithParam<Refusal> {};

TEST_P(OptionsRefuse, WithASentenceThatSaysWhatIsValid) {
  const std::string text = refused(GetParam().arguments);
  EXPECT_TRUE(text.starts_with("tcpwitness: ")) << text;
  EXPECT_TRUE(text.contains("--help")) << text;
  for (const std::string& part : GetParam().says) EXPECT_TRUE(text.contains(part)) << part << " is not in " << text;
}

INSTANTIATE_TEST_SUITE_P(
    Each, OptionsRefuse,
    ::testing::Values(
        Refusal{{"--port", "0"}, {"--port", "'0'", "1 to 65535"}}, Refusal{{"--port", "65536"}, {"1 to 65535"}},
        Refusal{{"--port", "http"}, {"'http'", "1 to 65535"}}, Refusal{{"--port", "80,"}, {"''", "1 to 65535"}},
        Refusal{{"--port", "90-80"}, {"'90-80'", "ends before it begins"}},
        Refusal{{"--port", "80-"}, {"'80-'", "8000-8099"}}, Refusal{{"--port", "0-9"}, {"'0-9'"}},
        Refusal{{"record", "-w", "x", "--uid", "0"}, {"recording", "--uid"}},
        Refusal{{"--children"}, {"--children", "-p PID"}}, Refusal{{"--uid", ""}, {"--uid"}},
        Refusal{{"-p", "1", "--", "true"}, {"-p PID", "COMMAND"}},
        Refusal{{"record", "-w", "-", "--", "true"}, {"-w -", "command"}},
        Refusal{{"explain", "--"}, {"a command is to follow"}},
        Refusal{{"--kernel", "off", "--", "true"}, {"--kernel off"}},
        Refusal{{"read", "x.pcap", "--uid", "0"}, {"--uid is for live tracing"}},
        Refusal{{"doctor", "--children"}, {"--children is for connections"}},
        Refusal{{"trac", "--port", "1"}, {"did you mean 'trace'"}},
        Refusal{{"--host", "1.2.3"}, {"'1.2.3'", "192.0.2.0/24"}}, Refusal{{"-p", "0"}, {"--pid", "from 1 to 4194304"}},
        Refusal{{"-p", "-5"}, {"--pid", "'-5'"}}, Refusal{{"-p", "1", "-p", "2"}, {"--pid", "2 times"}},
        Refusal{{"--comm", "sixteen-letters-"}, {"15 bytes", "'sixteen-letters'"}}, Refusal{{"--comm", ""}, {"--comm"}},
        Refusal{{"-i", ""}, {"--interface"}}, Refusal{{"-i", "sixteen-letters-"}, {"1 to 15"}},
        Refusal{{"-i", "a/b"}, {"'a/b'"}}, Refusal{{"-o", "xml"}, {"--output", "'xml'", "text, json, csv"}},
        Refusal{{"-d", "0"}, {"--duration", "above 0"}}, Refusal{{"-d", "-1"}, {"above 0"}},
        Refusal{{"-d", "nan"}, {"above 0"}}, Refusal{{"-d", "inf"}, {"above 0"}}, Refusal{{"-d", "1s"}, {"'1s'"}},
        Refusal{{"-d", "1e10"}, {"1e9"}}, Refusal{{"-d"}, {"--duration needs a value"}},
        Refusal{{"-c", "0"}, {"--count", "from 1 to"}}, Refusal{{"-c", "1.5"}, {"'1.5'"}},
        Refusal{{"--wire", "ebpf"}, {"'ebpf'", "auto, xdp, xdp-native, xdp-generic, tc, none"}},
        Refusal{{"--kernel", "yes"}, {"'yes'", "on, off"}},
        Refusal{{"--wire", "none", "--kernel", "off"}, {"nothing to trace"}},
        Refusal{{"--kernel", "off", "-p", "1"}, {"--pid", "--kernel off"}},
        Refusal{{"compare", "--wire", "none"}, {"compare needs", "--wire none"}},
        Refusal{{"compare", "--kernel", "off"}, {"compare needs", "--kernel off"}},
        Refusal{{"trace", "--sample", "1s"}, {"--sample is for '-o json'"}},
        Refusal{{"explain", "--sample", "1s"}, {"--sample is for '-o json'"}},
        Refusal{{"--wire", "none", "-i", "lo"}, {"--interface", "--wire none"}},
        Refusal{{"--wire", "none", "--forwarded"}, {"--forwarded", "--wire none"}},
        Refusal{{"--forwarded", "--comm", "curl"}, {"--forwarded", "without a process"}},
        Refusal{{"--ring-size", "5M"}, {"power of two", "4M or 8M"}}, Refusal{{"--ring-size", "32K"}, {"64K to 1G"}},
        Refusal{{"--ring-size", "2G"}, {"64K to 1G"}}, Refusal{{"--ring-size", "18446744073709551615K"}, {"64K to 1G"}},
        Refusal{{"--ring-size", "M"}, {"64K to 1G"}}, Refusal{{"--flows", "1"}, {"from 1024 to"}},
        Refusal{{"--stuck-after", "0"}, {"--stuck-after", "above 0"}},
        Refusal{{"--packets", "all"}, {"trace --packets all"}},
        Refusal{{"trace", "--packets", "some"}, {"events, all"}}, Refusal{{"--netns", ""}, {"--netns"}},
        Refusal{{"--prot", "80"}, {"no option '--prot'", "did you mean '--port'?"}},
        Refusal{{"-z"}, {"no option '-z'"}}, Refusal{{"trcae"}, {"'trcae' is not a command", "did you mean 'trace'?"}},
        Refusal{{"life", "trace"}, {"life and trace are two commands"}},
        Refusal{{"record", "read", "x"}, {"record and read are two commands"}},
        Refusal{{"reed", "x.pcap"}, {"'reed' is not a command", "did you mean 'read'?"}},
        Refusal{{"-p", "1", "2"}, {"'2' is not a command"}}, Refusal{{"trace", "--host"}, {"--host needs a value"}}));

INSTANTIATE_TEST_SUITE_P(
    Read, OptionsRefuse,
    ::testing::Values(Refusal{{"read"}, {"read needs a file", "'-' for standard input"}},
                      Refusal{{"read", "--trace"}, {"read needs a file"}}, Refusal{{"read", ""}, {"read needs a file"}},
                      Refusal{{"read", "x", "-i", "lo"},
                              {"--interface", "is for live tracing", "--host or an expression"}},
                      Refusal{{"read", "x", "--wire", "tc"}, {"--wire is for live tracing"}},
                      Refusal{{"read", "x", "--kernel", "off"}, {"--kernel is for live tracing"}},
                      Refusal{{"read", "x", "--netns", "blue"}, {"--netns is for live tracing"}},
                      Refusal{{"read", "x", "--ring-size", "8M"}, {"--ring-size is for live tracing"}},
                      Refusal{{"read", "x", "--flows", "2048"}, {"--flows is for live tracing"}},
                      Refusal{{"read", "x", "--forwarded"}, {"--forwarded is for live tracing"}},
                      Refusal{{"read", "x", "-d", "5"}, {"--duration", "--count"}},
                      Refusal{{"read", "x", "-w", "y"}, {"--write belongs to a recording"}},
                      Refusal{{"read", "x", "-q"}, {"--quiet belongs to a recording"}},
                      Refusal{{"read", "x", "--packets", "all"}, {"'tcpwitness read --trace FILE'"}},
                      Refusal{{"read", "x", "--filter", ""}, {"--filter", "not an expression"}},
                      Refusal{{"read", "x", "--filter", "tcp", "port", "80"}, {"both expressions"}},
                      Refusal{{"read", "x", "--filter", "a", "--filter", "b"}, {"--filter", "2 times"}},
                      Refusal{{"read", "x", "--tarce"}, {"no option '--tarce'", "did you mean '--trace'?"}},
                      Refusal{{"--filter", "tcp"}, {"--filter", "tcpwitness read FILE", "--port and --host"}},
                      Refusal{{"trace", "--trace"}, {"--trace", "the command is 'trace'"}}));

INSTANTIATE_TEST_SUITE_P(
    Record, OptionsRefuse,
    ::testing::Values(
        Refusal{{"record"}, {"record needs a file", "-w FILE"}}, Refusal{{"record", "-w", ""}, {"--write"}},
        Refusal{{"record", "-w", "-", "--rotate-size", "1M"}, {"--rotate-size", "one standard output"}},
        Refusal{{"record", "-w"}, {"--write needs a value"}},
        Refusal{{"record", "-w", "x", "--snaplen", "63"}, {"--snaplen", "from 64 to 1024"}},
        Refusal{{"record", "-w", "x", "--snaplen", "1025"}, {"from 64 to 1024"}},
        Refusal{{"record", "-w", "x", "--rotate-size", "63K"}, {"--rotate-size", "64K to 1T"}},
        Refusal{{"record", "-w", "x", "--rotate-size", "2T"}, {"64K to 1T"}},
        Refusal{{"record", "-w", "x", "--rotate-size", "18446744073709551615T"}, {"64K to 1T"}},
        Refusal{{"record", "-w", "x", "--rotate-every", "0"}, {"--rotate-every", "30s, 15m, 2h, 1d"}},
        Refusal{{"record", "-w", "x", "--rotate-every", "1.5h"}, {"'1.5h' is not a time"}},
        Refusal{{"record", "-w", "x", "--rotate-every", "s"}, {"'s' is not a time"}},
        Refusal{{"record", "-w", "x", "--rotate-every", "99999999d"}, {"is not a time"}},
        Refusal{{"record", "-w", "x", "--keep", "0", "--rotate-size", "1M"}, {"--keep", "from 1 to"}},
        Refusal{{"record", "-w", "x", "--keep", "3"}, {"--keep", "--rotate-size or --rotate-every"}},
        Refusal{{"record", "-w", "x", "--max-total", "3M"}, {"--max-total", "--rotate-size or --rotate-every"}},
        Refusal{{"record", "-w", "x", "--max-total", "3M", "--rotate-size", "3M"}, {"--max-total", "more than"}},
        Refusal{{"record", "-w", "-", "--max-age", "3d"}, {"--max-age", "standard output"}},
        Refusal{{"record", "-w", "/d/%d/x", "--max-age", "3d"}, {"--max-age", "one directory"}},
        Refusal{{"life", "--append", ""}, {"--append", "not a file"}},
        Refusal{{"record", "-w", "x", "--flight-recorder", "0"}, {"--flight-recorder", "above 0"}},
        Refusal{{"record", "-w", "x", "--on", "half-open"}, {"--on", "--flight-recorder"}},
        Refusal{{"record", "-w", "x", "--flight-recorder", "9", "--on", "half-open,"}, {"'' is not one of"}},
        Refusal{{"record", "-w", "x", "--flight-recorder", "9", "--on", "crash"},
                {"--on", "'crash' is not one of", "reset-origin"}},
        Refusal{{"record", "-w", "x", "--filter", "tcp"}, {"--filter", "selects from a file"}},
        Refusal{{"-w", "x"}, {"--write belongs to a recording", "tcpwitness record -w FILE"}},
        Refusal{{"trace", "--keep", "2"}, {"--keep belongs to a recording"}}));

INSTANTIATE_TEST_SUITE_P(
    ExplainAndDoctor, OptionsRefuse,
    ::testing::Values(
        Refusal{{"explain", "-o", "csv"}, {"does not fit a table", "-o json", "tcpwitness trace"}},
        Refusal{{"read", "x", "--explain", "-o", "csv"}, {"does not fit a table", "--trace -o csv"}},
        Refusal{{"read", "x", "--explain", "--trace"}, {"--trace, --explain, --summary and --compare", "give one"}},
        Refusal{{"read", "--explain"}, {"read needs a file"}},
        Refusal{{"--explain"}, {"--explain", "tcpwitness read --explain FILE", "'explain'"}},
        Refusal{{"explain", "--packets", "all"}, {"--packets", "sums ordinary segments up"}},
        Refusal{{"explain", "--trace"}, {"--trace", "'trace'"}},
        Refusal{{"explain", "-w", "x"}, {"--write belongs to a recording"}},
        Refusal{{"explain", "trace"}, {"explain and trace are two commands"}},
        Refusal{{"explian"}, {"did you mean 'explain'?"}},
        Refusal{{"doctor", "-p", "1"}, {"--pid is for connections", "--netns"}},
        Refusal{{"doctor", "-d", "1"}, {"--duration is for connections"}},
        Refusal{{"doctor", "-o", "csv"}, {"doctor", "-o json"}},
        Refusal{{"doctor", "keepalive"}, {"'keepalive'", "doctor --findings NAME"}},
        Refusal{{"doctor", "--findings", "crash"}, {"'crash' is not one of", "refused", "bytes-disagree"}},
        Refusal{{"doctor", "--findings", "late", "keepalive"}, {"2 times"}},
        Refusal{{"--findings"}, {"--findings belongs to the doctor"}},
        Refusal{{"doctor", "--findings=crash"}, {"'crash' is not one of"}},
        Refusal{{"read", "x", "--findings"}, {"--findings belongs to the doctor"}},
        Refusal{{"wireshark", "--install", "--uninstall"}, {"--install and --uninstall"}},
        Refusal{{"wireshark", "today.pcapng"}, {"'today.pcapng'", "--install or --uninstall"}},
        Refusal{{"wireshark", "--port", "1"}, {"--port is for connections", "--install and --uninstall"}},
        Refusal{{"--install"}, {"'tcpwitness wireshark --install'"}}));

INSTANTIATE_TEST_SUITE_P(
    ChoiceAndSummary, OptionsRefuse,
    ::testing::Values(Refusal{{"--finding", "crash"}, {"--finding", "'crash' is not one of", "zero-window"}},
                      Refusal{{"--outcome", "bad"}, {"--outcome", "'bad' is not one of", "connect-timeout"}},
                      Refusal{{"--slower-than", "fast"}, {"--slower-than", "200ms"}},
                      Refusal{{"--slower-than", "-1s"}, {"--slower-than", "200ms"}},
                      Refusal{{"--slower-than", "200"}, {"'200' has no unit", "200ms or 200s"}},
                      Refusal{{"--longer-than", "0.5"}, {"--longer-than", "30s, 15m"}},
                      Refusal{{"ls", "--longer-than", "1m"}, {"--longer-than"}},
                      Refusal{{"--larger-than", "many"}, {"--larger-than", "64K, 10M"}},
                      Refusal{{"--larger-than", "-1"}, {"--larger-than", "64K, 10M"}},
                      Refusal{{"ls", "--larger-than", "1M"}, {"--larger-than"}},
                      Refusal{{"--host", "fe80::1%eth0"}, {"has a scope", "--host fe80::1 -i eth0"}},
                      Refusal{{"read", "x", "--summary", "--by", "container"}, {"--by container", "running processes"}},
                      Refusal{{"life", "--every", "2"}, {"--every", "ls", "compare"}},
                      Refusal{{"--by", "comm"}, {"--by belongs to a summary", "tcpwitness summary"}},
                      Refusal{{"compare", "--by", "comm"}, {"--by belongs to a summary"}},
                      Refusal{{"life", "--compare"}, {"live, the command is 'compare'"}},
                      Refusal{{"read", "x", "--top", "3"}, {"--top belongs to a summary or a comparison"}},
                      Refusal{{"summary", "--by", "comm,color"}, {"--by", "'color' is not one of", "listener"}},
                      Refusal{{"summary", "--top", "0"}, {"--top", "from 1"}},
                      Refusal{{"trace", "--summary"}, {"--summary belongs to a summary"}},
                      Refusal{{"record", "-w", "x", "--by", "comm"}, {"--by belongs to a summary"}},
                      Refusal{{"--summary", "-o", "csv"}, {"two tables", "tcpwitness summary -o csv"}},
                      Refusal{{"doctor", "--problems"}, {"--problems is for connections"}}));

INSTANTIATE_TEST_SUITE_P(
    Metrics, OptionsRefuse,
    ::testing::Values(
        Refusal{{"serve", "--listen", "9435"}, {"--listen", "'9435' is not an address and a port", "[::1]:9435"}},
        Refusal{{"serve", "--listen", "localhost:9435"}, {"is not an address and a port"}},
        Refusal{{"serve", "--listen", "::1:9435"}, {"is not an address and a port"}},
        Refusal{{"serve", "--listen", "[127.0.0.1]:9435"}, {"is not an address and a port"}},
        Refusal{{"serve", "--listen", "10.0.0.0/8:9435"}, {"is not an address and a port"}},
        Refusal{{"serve", "--listen", "127.0.0.1:65536"}, {"is not an address and a port"}},
        Refusal{{"serve", "--listen", "127.0.0.1:"}, {"is not an address and a port"}},
        Refusal{{"serve", "--labels", "pid"}, {"'pid' is not one of: listener, process, remote, role, none"}},
        Refusal{{"serve", "--labels", "none,process"}, {"give 'none' alone"}},
        Refusal{{"serve", "--label-limit", "0"}, {"from 1 to 1000"}},
        Refusal{{"serve", "--label-limit", "100000"}, {"from 1 to 1000"}},
        Refusal{{"serve", "--problems"}, {"serve gives metrics of all", "--listen"}},
        Refusal{{"serve", "-o", "json"}, {"serve gives metrics of all"}},
        Refusal{{"serve", "-w", "x"}, {"belongs to a recording"}},
        Refusal{{"serve", "--", "true"}, {"a command is run by life"}},
        Refusal{{"--listen", "127.0.0.1:9435"}, {"belongs to metrics", "tcpwitness serve"}},
        Refusal{{"read", "x", "--labels", "role"}, {"belongs to metrics"}}));

TEST(Options, MetricsAreServedSomewhereByLabels) {
  const ServeOptions plain = options({"serve"}).serve;
  EXPECT_EQ(to_string(plain.listen), "127.0.0.1:9435");
  EXPECT_EQ(plain.labels, std::vector<MetricLabel>{MetricLabel::process});
  EXPECT_EQ(to_string(options({"serve", "--listen", "[::1]:9100"}).serve.listen), "[::1]:9100");
  EXPECT_EQ(to_string(options({"serve", "--listen", "0.0.0.0:0"}).serve.listen), "0.0.0.0:0");
  EXPECT_EQ(options({"serve", "--labels", "remote,role"}).serve.labels,
            (std::vector<MetricLabel>{MetricLabel::remote, MetricLabel::role}));
  EXPECT_TRUE(options({"serve", "--labels", "none"}).serve.labels.empty());
  // A label twice costs Prometheus the scrape.
  EXPECT_EQ(options({"serve", "--labels", "role,role"}).serve.labels, std::vector<MetricLabel>{MetricLabel::role});
  const Options chosen = options({"serve", "--port", "443", "-p", "7", "--netns", "blue", "--label-limit", "5"});
  EXPECT_EQ(chosen.command, Command::serve);
  EXPECT_EQ(chosen.serve.label_limit, 5U);
  EXPECT_EQ(chosen.pid, 7U);
}

TEST(Options, AChoiceIsReadWithItsUnits) {
  const Options all = options({"--problems", "--finding", "late,keepalive", "--finding", "late", "--outcome", "refused",
                               "--slower-than", "1.5ms"});
  EXPECT_TRUE(all.report_filter.problems);
  EXPECT_EQ(all.report_filter.rules, (std::vector<Rule>{Rule::late, Rule::keepalive}));
  EXPECT_EQ(all.report_filter.outcomes, std::vector<Outcome>{Outcome::refused});
  EXPECT_EQ(all.report_filter.slower_than_ns, 1'500'000);
  EXPECT_EQ(options({"--slower-than", "2s"}).report_filter.slower_than_ns, 2'000'000'000);
  EXPECT_EQ(options({"--slower-than", "50us"}).report_filter.slower_than_ns, 50'000);
  EXPECT_EQ(options({"--longer-than", "15m"}).report_filter.longer_than_ns, 900'000'000'000);
  EXPECT_EQ(options({"--larger-than", "10M"}).report_filter.larger_than, 10U << 20U);
  EXPECT_FALSE(options({}).report_filter.any());
}

TEST(Columns, AreATablesAndNobodyElses) {
  EXPECT_EQ(options({"--columns", "remote,first-byte"}).columns,
            (std::vector<LifeColumn>{LifeColumn::remote, LifeColumn::first_byte}));
  EXPECT_TRUE(options({"-o", "wide"}).wide);
  EXPECT_EQ(options({"-o", "wide"}).format, OutputFormat::text);
  EXPECT_FALSE(options({"-o", "text"}).wide);
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"--columns", "colour"},
                                                                                     {"--columns", "pid", "-o", "json"},
                                                                                     {"--columns", "pid", "-o", "wide"},
                                                                                     {"trace", "-o", "wide"},
                                                                                     {"summary", "--columns", "pid"},
                                                                                     {"ls", "-o", "wide"},
                                                                                     {"compare", "-o", "wide"}}) {
    EXPECT_NE(refused(wrong), "(accepted)") << wrong[0] << ' ' << wrong[1];
  }
}

TEST(Options, ASummaryIsAloneOrAfterTheLives) {
  EXPECT_TRUE(options({"summary", "--by", "comm,remote", "--top", "5"}).summary_alone());
  EXPECT_EQ(options({"summary", "--by", "comm,remote"}).summary.by,
            (std::vector<GroupKey>{GroupKey::comm, GroupKey::remote}));
  EXPECT_TRUE(options({"--summary"}).summary.after_lives);
  EXPECT_TRUE(options({"compare", "--top", "5"}).comparing());
  EXPECT_TRUE(options({"read", "x", "--compare", "-o", "csv"}).comparing());
  EXPECT_FALSE(options({"read", "x"}).comparing());
  EXPECT_FALSE(options({"--summary"}).summary_alone());
  EXPECT_TRUE(options({"read", "x", "--summary", "-o", "csv"}).summary_alone());
}

TEST(Options, OneWordIsAnExpressionWhereItCannotBeACommand) {
  for (const char* word : {"tcp", "icmp", "ip6", "tcp[13]&2!=0", "port 80"})
    EXPECT_EQ(options({word}).expression, word);
  EXPECT_EQ(options({"10.0.0.1"}).expression, "host 10.0.0.1");
  EXPECT_EQ(options({"10.0.0.0/8", "-d", "5"}).expression, "net 10.0.0.0/8");
  EXPECT_EQ(options({"fe80::1"}).expression, "host fe80::1");
  for (const char* word : {"80", "port", "liv", "sumary", "nginx"}) EXPECT_NE(refused({word}), "(accepted)") << word;
}

TEST(Options, ARecordingLastsAsLongAsACommandAndAComparisonComesAgain) {
  EXPECT_EQ(options({"record", "-w", "x", "--", "true"}).program, std::vector<std::string>{"true"});
  EXPECT_EQ(options({"compare", "--every", "2"}).every, std::chrono::seconds(2));
  EXPECT_EQ(options({"compare", "--wire", "tc"}).wire, WireMode::tc);
  EXPECT_TRUE(options({"trace", "--sample", "1s", "-o", "json"}).sample);
  EXPECT_EQ(options({"summary", "--by", "container"}).summary.by, std::vector<GroupKey>{GroupKey::container});
}

TEST(Options, ExplainTakesWhatTraceTakes) {
  const Options all = options({"explain", "-p", "7", "--port", "80", "--host", "10.0.0.0/8", "-i", "lo", "-c", "3",
                               "-d", "5", "--netns", "blue", "--wire", "tc", "-o", "json"});
  EXPECT_EQ(all.command, Command::explain);
  EXPECT_TRUE(all.stories());
  EXPECT_FALSE(all.timeline());
  EXPECT_EQ(all.pid, 7U);
  EXPECT_EQ(all.count, 3U);
  EXPECT_EQ(all.format, OutputFormat::json);
  const Options read = options({"read", "--explain", "x.pcap", "tcp", "port", "80"});
  EXPECT_TRUE(read.stories());
  EXPECT_EQ(read.read.filter, "tcp port 80");
}

TEST(Options, APictureIsOfAFileOrOfWhatHappensNow) {
  const Options file = options({"picture", "a b.pcap", "port", "80", "-o", "out.html", "--problems"});
  EXPECT_EQ(file.command, Command::picture);
  EXPECT_EQ(file.picture.words, (std::vector<std::string>{"a b.pcap", "port", "80"}));
  EXPECT_TRUE(file.entries() && file.drawing() && file.packets_all && file.report_filter.problems);
  EXPECT_FALSE(file.picture.ladder_alone());
  EXPECT_TRUE(options({"picture", "x", "-o", "out.svg"}).picture.ladder_alone());
  EXPECT_FALSE(options({"picture", "-o", "out.svg", "--packets", "events"}).packets_all);
  EXPECT_FALSE(options({"trace"}).packets_all);
  EXPECT_EQ(options({"picture", "-o", "x.html", "-d", "10", "--", "curl", "u"}).program.size(), 2U);

  const Options story = options({"explain", "--picture", "out.html", "--", "curl", "u"});
  EXPECT_TRUE(story.stories() && story.drawing() && story.packets_all);
  EXPECT_TRUE(refused({"picture", "x.pcap"}).contains("-o FILE.html"));
  EXPECT_TRUE(refused({"picture", "-o", "json"}).contains("'json' ends in neither"));
  EXPECT_TRUE(refused({"explain", "--picture", "out.png"}).contains("--picture"));
  EXPECT_TRUE(refused({"trace", "--picture", "out.html"}).contains("explain"));
}

TEST(Options, TheLiveViewIsOfAFileOrOfWhatHappensNow) {
  const Options live = options({"top", "--comm", "nginx", "--problems", "--every", "2", "port", "443"});
  EXPECT_EQ(live.command, Command::top);
  EXPECT_EQ(live.expression, "port 443");
  EXPECT_EQ(live.every, std::chrono::seconds(2));
  EXPECT_TRUE(live.report_filter.problems);
  EXPECT_FALSE(live.top.speed);
  const Options file = options({"top", "rec.pcapng", "--speed", "10"});
  EXPECT_EQ(file.top.words, (std::vector<std::string>{"rec.pcapng"}));
  EXPECT_EQ(file.top.speed, 10);
  EXPECT_TRUE(refused({"top", "x", "--speed", "0"}).contains("from 0.1 to 1000"));
  EXPECT_TRUE(refused({"top", "-o", "json"}).contains("top draws"));
  EXPECT_TRUE(refused({"life", "--speed", "2"}).contains("tcpwitness top FILE"));
  EXPECT_TRUE(refused({"top", "--", "curl", "u"}).contains("terminal for itself"));
}

TEST(Options, TheDoctorLooksAtTheMachineOrTellsTheCatalogue) {
  const Options machine = options({"doctor", "-i", "lo", "--netns", "blue", "-o", "json"});
  EXPECT_EQ(machine.command, Command::doctor);
  EXPECT_FALSE(machine.doctor.findings);
  EXPECT_EQ(machine.interfaces, std::vector<std::string>{"lo"});
  EXPECT_TRUE(options({"doctor", "--findings"}).doctor.findings);
  EXPECT_EQ(options({"doctor", "--findings"}).doctor.name, "");
  EXPECT_EQ(options({"doctor", "--findings", "zero-window"}).doctor.name, "zero-window");
  EXPECT_EQ(options({"doctor", "keepalive", "--findings"}).doctor.name, "keepalive");
  EXPECT_EQ(options({"doctor", "--findings=keepalive"}).doctor.name, "keepalive");
  EXPECT_EQ(options({"doctor", "--findings", "connect-timeout"}).doctor.name, "connect-timeout");
}

TEST(Options, WiresharksFilesAreInstalledOrRemovedOrShown) {
  EXPECT_EQ(options({"wireshark"}).command, Command::wireshark);
  EXPECT_EQ(options({"wireshark"}).wireshark, WiresharkOptions{});
  EXPECT_TRUE(options({"wireshark", "--install"}).wireshark.install);
  EXPECT_TRUE(options({"wireshark", "--uninstall"}).wireshark.uninstall);
}

TEST(Options, ReadTakesAFileAndAnExpression) {
  const Options plain = options({"read", "x.pcap"});
  EXPECT_EQ(plain.command, Command::read);
  EXPECT_EQ(plain.read.path, "x.pcap");
  EXPECT_EQ(plain.read.filter, "");
  EXPECT_FALSE(plain.read.trace);
  EXPECT_FALSE(plain.timeline());

  const Options all = options({"read",       "--port", "80",   "x.pcap",    "tcp",     "port",      "80",  "-o",
                               "csv",        "and",    "host", "192.0.2.1", "--trace", "--packets", "all", "--host",
                               "10.0.0.0/8", "-c",     "3",    "-p",        "7",       "--comm",    "curl"});
  EXPECT_EQ(all.read.path, "x.pcap");
  EXPECT_EQ(all.read.filter, "tcp port 80 and host 192.0.2.1");
  EXPECT_TRUE(all.read.trace);
  EXPECT_TRUE(all.timeline());
  EXPECT_TRUE(all.packets_all);
  EXPECT_EQ(all.format, OutputFormat::csv);
  EXPECT_EQ(all.count, 3U);
  EXPECT_EQ(all.ports.size(), 1U);
  EXPECT_EQ(all.hosts.size(), 1U);
  EXPECT_EQ(all.pid, 7U);
  EXPECT_EQ(all.comm, "curl");
}

TEST(Options, TheExpressionMayBeOneWordOrAnOption) {
  EXPECT_EQ(options({"read", "-", "tcp[tcpflags] & tcp-syn != 0"}).read.filter, "tcp[tcpflags] & tcp-syn != 0");
  EXPECT_EQ(options({"read", "-"}).read.path, "-");
  const Options option = options({"--filter", "tcp port 80 or port 81", "read", "x"});
  EXPECT_EQ(option.read.path, "x");
  EXPECT_EQ(option.read.filter, "tcp port 80 or port 81");
}

TEST(Options, AFileMayBeNamedLikeACommandOrAnOption) {
  EXPECT_EQ(options({"read", "trace"}).read.path, "trace");
  EXPECT_EQ(options({"read", "read"}).read.path, "read");
  EXPECT_EQ(options({"read", "--", "-x.pcap"}).read.path, "-x.pcap");
}

TEST(Options, RecordKeepsWhatItIsTold) {
  const RecordOptions defaults = options({"record", "-w", "x.pcapng"}).record;
  EXPECT_EQ(defaults.path, "x.pcapng");
  EXPECT_EQ(options({"record", "-w", "-"}).record.path, "-");
  EXPECT_EQ(defaults.snaplen, 128U);
  EXPECT_EQ(defaults.rotate_bytes, 0U);
  EXPECT_EQ(defaults.rotate_every, 0s);
  EXPECT_EQ(defaults.keep, 0U);
  EXPECT_FALSE(defaults.flight);
  EXPECT_TRUE(defaults.on.empty());
  EXPECT_FALSE(defaults.quiet);

  const Options all = options({"record",
                               "-w",
                               "a",
                               "--snaplen",
                               "1024",
                               "--rotate-size",
                               "100M",
                               "--rotate-every",
                               "15m",
                               "--keep",
                               "10",
                               "--flight-recorder",
                               "2.5",
                               "--on",
                               "half-open,zero-window",
                               "--on",
                               "half-open",
                               "-q",
                               "--packets",
                               "all",
                               "-i",
                               "lo",
                               "--port",
                               "80",
                               "-o",
                               "json"});
  EXPECT_EQ(all.command, Command::record);
  EXPECT_EQ(all.record.snaplen, 1024U);
  EXPECT_EQ(all.record.rotate_bytes, 100U << 20U);
  EXPECT_EQ(all.record.rotate_every, 15min);
  EXPECT_EQ(all.record.keep, 10U);
  EXPECT_EQ(all.record.flight, 2500ms);
  EXPECT_EQ(all.record.on, (std::vector<Rule>{Rule::half_open, Rule::zero_window}));
  EXPECT_TRUE(all.record.quiet);
  EXPECT_TRUE(all.packets_all);
  EXPECT_EQ(all.interfaces, (std::vector<std::string>{"lo"}));
}

TEST(Options, EveryRuleCanStartTheFlightRecorder) {
  for (std::size_t rule = 0; rule < rule_count; ++rule) {
    const std::string word(name(static_cast<Rule>(rule)));
    const Options all = options({"record", "-w", "a", "--flight-recorder", "1", "--on", word});
    EXPECT_EQ(all.record.on, std::vector<Rule>{static_cast<Rule>(rule)});
    EXPECT_TRUE(reported({"record", "--help"}).contains(word)) << word;
  }
}

TEST(Options, PeriodsHaveUnits) {
  EXPECT_EQ(cli::period("90"), 90s);
  EXPECT_EQ(cli::period("90s"), 90s);
  EXPECT_EQ(cli::period("2h"), 2h);
  EXPECT_EQ(cli::period("1d"), 24h);
  EXPECT_FALSE(cli::period(""));
  EXPECT_FALSE(cli::period("-1"));
}

TEST(Options, TheLargestAndSmallestRingsAreAccepted) {
  EXPECT_EQ(options({"--ring-size", "65536"}).ring_bytes, 65536U);
  EXPECT_EQ(options({"--ring-size", "1G"}).ring_bytes, 1U << 30U);
  EXPECT_EQ(options({"--ring-size", "1024m"}).ring_bytes, 1U << 30U);
  // A page may be larger than 64K.
  EXPECT_FALSE(cli::ring_size("64K", 131072));
}

TEST(Options, TheVersionIsToldOnItsOwn) { EXPECT_EQ(reported({"--version"}), "tcpwitness 1.2.3\n"); }

TEST(Options, ARefusalNamesTheHelpOfItsCommand) {
  EXPECT_TRUE(refused({"record"}).ends_with("Try 'tcpwitness record --help'."));
  EXPECT_TRUE(refused({"--prot", "80"}).ends_with("Try 'tcpwitness --help'."));
}

TEST(Options, HelpTellsOfTheCommandAskedFor) {
  EXPECT_TRUE(reported({"--help"}).starts_with("tcpwitness traces TCP connections"));
  EXPECT_TRUE(reported({"-h"}).contains("Examples:"));
  EXPECT_TRUE(reported({"life", "--help"}).starts_with("tcpwitness life: "));
  EXPECT_TRUE(reported({"trace", "--help"}).starts_with("tcpwitness trace: "));
  EXPECT_EQ(reported({"help", "trace"}), reported({"trace", "--help"}));
  EXPECT_EQ(reported({"help"}), reported({"--help"}));
  EXPECT_TRUE(reported({"record", "--help"}).starts_with("tcpwitness record: "));
  EXPECT_TRUE(reported({"read", "--help"}).starts_with("tcpwitness read: "));
  EXPECT_TRUE(reported({"read", "x.pcap", "tcp", "-h"}).starts_with("tcpwitness read: "));
  EXPECT_TRUE(reported({"explain", "--help"}).starts_with("tcpwitness explain: "));
  EXPECT_TRUE(reported({"doctor", "--help"}).starts_with("tcpwitness doctor: "));
}

TEST(Options, EveryOptionIsInTheHelp) {
  const std::string page = reported({"trace", "--help"});
  for (const char* option : {"-i, --interface", "-p, --pid", "--comm", "--port", "--host", "--netns", "-o, --output",
                             "-d, --duration", "-c, --count", "--stuck-after", "--wire", "--kernel", "--ring-size",
                             "--flows", "--forwarded", "--packets", "-h, --help", "--version"}) {
    EXPECT_TRUE(page.contains(option)) << option;
  }
  for (const char* mode : {"auto", "xdp", "xdp-native", "xdp-generic", "tc", "none"}) EXPECT_TRUE(page.contains(mode));
}

// A page has what the command takes, and nothing that it refuses.
TEST(Options, AHelpPageHasWhatTheCommandTakes) {
  for (const cli::Page& page : cli::pages()) {
    const std::string help = reported({page.name, "--help"});
    for (const cli::Option& option : cli::option_table()) {
      if (option.is_word()) continue;
      const std::string name(option.long_name());
      const bool in_help = std::ranges::any_of(std::array{"\n      " + name, ", " + name}, [&](const std::string& at) {
        return help.contains(at + " ") || help.contains(at + "\n");
      });
      EXPECT_EQ(in_help, cli::why_not(option, page.command).empty()) << page.name << ' ' << name;
    }
  }
}

// What the help calls the default is what there is without the option.
TEST(Options, ADefaultIsWhatIsThereWithoutTheOption) {
  int defaults = 0;
  for (const cli::Option& option : cli::option_table()) {
    for (const cli::Usage& usage : option.usages) {
      const std::string value = usage.default_value;
      if (value.empty()) continue;
      ++defaults;
      Options given;
      EXPECT_EQ(option.take(value, given), "");
      EXPECT_EQ(given, Options{}) << option.names;
      EXPECT_TRUE(std::string_view(usage.help).contains("(default: " + value)) << option.names;
    }
  }
  EXPECT_GT(defaults, 10);
  EXPECT_NE(options({"--flows", "65537"}), Options{});
}

std::string file_of(const std::string& text) {
  const std::string path = ::testing::TempDir() + "tcpwitness_options.conf";
  std::ofstream(path) << text;
  return path;
}

TEST(Options, AreReadFromAFileToo) {
  const std::string file = file_of(
      "# of a service\nport = [80, 443]\nproblems = true\noutput = json\nfinding = late,keepalive\n"
      "comm = \"my server\"\n");
  const Options all = options({"life", "--config", file});
  EXPECT_EQ(all.ports, (std::vector<PortRange>{{80, 80}, {443, 443}}));
  EXPECT_TRUE(all.report_filter.problems);
  EXPECT_EQ(all.format, OutputFormat::json);
  EXPECT_EQ(all.report_filter.rules, (std::vector<Rule>{Rule::late, Rule::keepalive}));
  EXPECT_EQ(all.comm, "my server");
  EXPECT_EQ(options({"--config", file, "-o", "csv"}).format, OutputFormat::csv);  // the command line counts
}

TEST(Options, AFileOfOptionsIsRefusedAsTheCommandLineIs) {
  EXPECT_EQ(options({"serve", "--config", file_of("labels = listener,role\n")}).serve.labels,
            (std::vector<MetricLabel>{MetricLabel::listener, MetricLabel::role}));
  EXPECT_TRUE(refused({"--config", "/does/not/exist"}).contains("/does/not/exist: No such file or directory"));
  EXPECT_TRUE(refused({"--config", "/"}).contains("it is a directory"));
  EXPECT_TRUE(refused({"--config", file_of(std::string((1U << 20U) + 1, '#'))}).contains("more than 1 MiB"));
  EXPECT_TRUE(refused({"--config", ""}).contains("is empty"));
  EXPECT_TRUE(refused({"--config="}).contains("is empty"));
  EXPECT_TRUE(refused({"--config", file_of("port = 80\n"), "--config", file_of("port = 80\n")})
                  .contains("--config is given twice"));
  EXPECT_TRUE(refused({"--config", file_of("prot = 80\n")}).contains("did you mean '--port'?"));
  EXPECT_TRUE(refused({"--config", file_of("port = http\n")}).contains("'http' is not a port"));
  EXPECT_TRUE(refused({"--config", file_of("keep = 3\n")}).contains("--keep belongs to a recording"));
  EXPECT_TRUE(refused({"--config"}).contains("--config needs a value"));
  EXPECT_TRUE(refused({"--config", file_of("[service]\nport = 80\n")}).contains("no sections ([service])"));
  EXPECT_TRUE(
      refused({"--config", file_of("problems = perhaps\n")}).contains("--problems = perhaps: neither true nor false"));
  EXPECT_FALSE(options({"--config", file_of("problems = false\n")}).report_filter.problems);
}

TEST(Options, AValueOfAFileThatHasSpacesNeedsQuotes) {
  for (const char* value : {"/tmp/a b.txt", "/tmp/a,b.txt"}) {
    const std::string why = refused({"--config", file_of(fmt::format("# append = x\nappend = {}\n", value))});
    EXPECT_TRUE(why.contains("--append: its value has spaces or commas: put it in quotes (line 2 of ")) << why;
    EXPECT_EQ(options({"--config", file_of(fmt::format("append = \"{}\"\n", value))}).append, value);
    // The command line takes precedence.
    EXPECT_EQ(options({"--append", "b", "--config", file_of(fmt::format("append = {}\n", value))}).append, "b");
  }
  EXPECT_TRUE(refused({"--config", file_of("append = a\nappend = b\n")}).contains("--append is given 2 times"));
  EXPECT_TRUE(
      refused({"-d", "1", "-d", "2", "--config", file_of("append = a\n")}).contains("--duration is given 2 times"));
  EXPECT_EQ(options({"--config", file_of("port = 80 443\n")}).ports.size(), 2U);
}

TEST(Options, WhatIsWrongInAFileIsFoundByItsLine) {
  const std::string file = file_of("# of a service\nport = 443\nslower-than = 5 parsecs\n");
  EXPECT_TRUE(refused({"--config", file}).contains(" (line 3 of " + file + ")"));
  EXPECT_TRUE(refused({"--config", file_of("\nmin-ms = 3\n")}).contains("'--min-ms' (line 2 of "));
  EXPECT_TRUE(refused({"--config=" + file_of("\n  port =http\n")}).contains(" (line 2 of "));
  EXPECT_TRUE(refused({"serve", "--config", file_of("\nkeep = 3\n")}).contains(" (line 2 of "));
  // What the command line sets is the command line's, and what neither sets has no line.
  EXPECT_FALSE(refused({"--port", "http", "--config", file_of("port = 80\n")}).contains(" (line"));
  EXPECT_FALSE(refused({"--prot", "80", "--config", file_of("port = 80\n")}).contains(" (line"));
  EXPECT_FALSE(refused({"-px", "--config", file_of("pid = 80\n")}).contains(" (line"));
  EXPECT_TRUE(refused({"--config", file_of("\npid = x\n"), "--", "ssh", "-p22"}).contains(" (line 2 of "));
}

TEST(Options, EachIsEnteredOnceAndEachWordIsAccepted) {
  std::vector<std::string_view> names;
  for (const cli::Option& option : cli::option_table()) {
    EXPECT_EQ(std::ranges::find(names, option.long_name()), names.end()) << option.names;
    names.push_back(option.long_name());
    for (const cli::Usage& usage : option.usages) {
      EXPECT_FALSE(std::string_view(usage.help).empty()) << option.names;
      if (usage.words == nullptr) continue;
      for (const std::string_view word : usage.words()) {
        Options given;
        EXPECT_EQ(option.take(word, given), "") << option.names;
      }
    }
  }
}

// What a command takes that has a file too is of use there, or refused: nothing is ignored.
TEST(Options, EachOptionHasItsUseForAFileOrIsRefused) {
  const std::map<std::string_view, const char*> values{
      {"--interface", "lo"},   {"--pid", "7"},          {"--uid", "0"},          {"--comm", "curl"},
      {"--port", "80"},        {"--host", "10.0.0.1"},  {"--netns", "blue"},     {"--wire", "none"},
      {"--kernel", "off"},     {"--ring-size", "64K"},  {"--sample", "1s"},      {"--flows", "2048"},
      {"--output", "x.html"},  {"--packets", "events"}, {"--finding", "late"},   {"--outcome", "completed"},
      {"--slower-than", "1s"}, {"--longer-than", "1s"}, {"--larger-than", "1K"}, {"--every", "1"},
      {"--duration", "1"},     {"--count", "1"},        {"--stuck-after", "1"},  {"--speed", "10"}};
  std::vector<std::string_view> used{"--pid",     "--comm",        "--port",        "--host",        "--problems",
                                     "--finding", "--outcome",     "--slower-than", "--longer-than", "--larger-than",
                                     "--every",   "--stuck-after", "--speed",       "--output",      "--packets"};
  for (const Command command : {Command::top, Command::picture}) {
    if (command == Command::picture) used.emplace_back("--count");
    for (const cli::Option& option : cli::option_table()) {
      if (option.usage(command) == nullptr || option.take == nullptr) continue;
      Options given;
      given.command = command;
      const auto value = values.find(option.long_name());
      ASSERT_EQ(option.take(value == values.end() ? "" : value->second, given), "") << option.names;
      const bool has_use = std::ranges::find(used, option.long_name()) != used.end();
      EXPECT_EQ(cli::live_alone(given), has_use ? "" : option.long_name());
    }
  }
  Options with_command;
  with_command.program = {"true"};
  EXPECT_EQ(cli::live_alone(with_command), "a command");
}

TEST(Options, ARecordingIsOfAllProcessesAndItsHelpSaysSo) {
  EXPECT_TRUE(reported({"record", "--help"}).contains("COMMAND [ARGUMENT"));
  EXPECT_TRUE(reported({"record", "--help"}).contains("not only its own"));
  EXPECT_TRUE(reported({"explain", "--help"}).contains("COMMAND [ARGUMENT"));
  EXPECT_TRUE(refused({"record", "-w", "x", "--uid", "0"}).contains("of all processes"));
  EXPECT_TRUE(refused({"record", "-w", "x", "-p", "1", "--children"}).contains("of all processes"));
  EXPECT_EQ(options({"record", "-w", "x", "-p", "1"}).pid, 1U);
}

TEST(Options, HelpFitsANarrowTerminal) {
  std::vector<std::string> texts{reported({"--help"})};
  for (const cli::Page& page : cli::pages()) texts.push_back(reported({page.name, "--help"}));
  for (const std::string& text : texts) {
    std::istringstream page(text);
    for (std::string line; std::getline(page, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// sink_checkup.cpp: the doctor's words: a checkup and the catalogue, as text and as JSON.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "judge/catalogue.hpp"
#include "sink/views/catalogue_text.hpp"
#include "sink/views/checkup.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

using Group = Check::Group;
using State = Check::State;
using nlohmann::json;

Checkup some_checkup() {
  Checkup checkup;
  checkup.ts_ns = 5;
  checkup.version = "1.2.3";
  checkup.kernel = "6.1.0";
  checkup.libbpf = "1.1";
  checkup.checks = {
      {Group::machine, State::good, "privilege", "root", ""},
      {Group::machine, State::less, "reset reasons", "this kernel has no names for them", ""},
      {Group::kernel, State::bad, "sock:inet_sock_set_state", "state transitions: not seen", ""},
      {Group::wire, State::good, "eth0",
       "in tcx (XDP would switch off LRO and copy merged segments), out tcx; XDP slot free (not tried)", ""},
      {Group::residue, State::unknown, "BPF programs", "this process may not list them", "run it as root (sudo)"},
  };
  checkup.kernel_witness = State::bad;
  checkup.wire_witness = State::less;
  return checkup;
}

std::string text(const Checkup& checkup, unsigned width = 0) {
  return test::printed([&](Output& output) { write_checkup_text(output, {.width = width}, checkup); });
}

TEST(Checkup, ATextHasEveryGroupAndEndsWithTheVerdict) {
  EXPECT_EQ(text(some_checkup()),
            "tcpwitness 1.2.3 with libbpf 1.1 on Linux 6.1.0\n"
            "\n"
            "This machine\n"
            "  ok    privilege      root\n"
            "  less  reset reasons  this kernel has no names for them\n"
            "\n"
            "Kernel events\n"
            "  NO    sock:inet_sock_set_state  state transitions: not seen\n"
            "\n"
            "Packets\n"
            "  ok    eth0  in tcx (XDP would switch off LRO and copy merged segments), out\n"
            "              tcx; XDP slot free (not tried)\n"
            "\n"
            "Left behind\n"
            "  ?     BPF programs  this process may not list them\n"
            "                      run it as root (sudo)\n"
            "\n"
            "Kernel events cannot be traced; packets can be traced, with less (see above).\n");
}

TEST(Checkup, BothMustWork) {
  Checkup checkup = some_checkup();
  EXPECT_FALSE(checkup.both_work());
  checkup.kernel_witness = State::less;
  EXPECT_TRUE(checkup.both_work());
  checkup.wire_witness = State::unknown;
  EXPECT_FALSE(checkup.both_work());
}

TEST(Checkup, NamesFromOutsideAreHarmless) {
  Checkup checkup = some_checkup();
  checkup.checks[3].name = "e\x1b[31m";
  EXPECT_FALSE(text(checkup).contains('\x1b'));
}

TEST(Checkup, JsonIsOneObject) {
  const std::string line = test::printed([](Output& output) { write_checkup_json(output, some_checkup()); });
  EXPECT_EQ(test::lines_of(line).size(), 1U);
  const json object = json::parse(line);
  EXPECT_EQ(object["type"], "doctor");
  EXPECT_EQ(object["kernel_witness"], "bad");
  EXPECT_EQ(object["wire_witness"], "less");
  ASSERT_EQ(object["checks"].size(), 5U);
  EXPECT_EQ(object["checks"][4], (json{{"group", "residue"},
                                       {"name", "BPF programs"},
                                       {"state", "unknown"},
                                       {"found", "this process may not list them"},
                                       {"advice", "run it as root (sudo)"}}));
}

TEST(Catalogue, EveryEntryIsAnObject) {
  const std::string all = test::printed([](Output& output) { write_catalogue_json(output, ""); });
  const auto lines = test::lines_of(all);
  EXPECT_EQ(lines.size(), outcome_catalogue().size() + rule_catalogue().size());
  for (const std::string& line : lines) {
    const json object = json::parse(line);
    EXPECT_FALSE(object["meaning"].get<std::string>().empty()) << line;
    EXPECT_TRUE(object["type"] == "outcome-entry" || object["type"] == "finding-entry") << line;
  }
}

TEST(Catalogue, OneEntryIsToldAlone) {
  const std::string one = test::printed([](Output& output) { write_catalogue_text(output, {}, "zero-window"); });
  EXPECT_TRUE(one.starts_with("zero-window\n    A receive window was closed")) << one;
  EXPECT_TRUE(one.contains("what to do")) << one;
  EXPECT_FALSE(one.contains("keepalive")) << one;
  const std::string object = test::printed([](Output& output) { write_catalogue_json(output, "refused"); });
  EXPECT_EQ(json::parse(object)["name"], "refused");
}

TEST(Catalogue, TextFitsTheTerminal) {
  for (const unsigned width : {0U, 60U, 120U}) {
    const std::string all = test::printed([&](Output& output) { write_catalogue_text(output, {.width = width}, ""); });
    for (const std::string& line : test::lines_of(all)) EXPECT_LE(line.size(), width == 0 ? 80 : width) << line;
  }
}

}  // namespace
}  // namespace tcpwitness

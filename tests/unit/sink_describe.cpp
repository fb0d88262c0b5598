// SPDX-License-Identifier: Apache-2.0
// sink_describe.cpp: what a person is reported on stderr, and how a terminal is judged.
#include <gtest/gtest.h>

#include "golden/reports.hpp"
#include "sink/sinks.hpp"
#include "sink/views/describe.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

TEST(Describe, TheFirstLineSaysVersionKernelAndEveryHookWithItsReason) {
  const std::string line = test::lines_of(describe(golden::ready())).at(0);
  EXPECT_TRUE(line.starts_with("tcpwitness: tracing "));
  for (const char* part : {"0.1.0", "Linux 6.18.5", "lo: in tcx (generic XDP would copy every segment on loopback)",
                           "veth0, veth1: in xdp-generic (native XDP", "out tcx"}) {
    EXPECT_TRUE(line.contains(part)) << part << " is not in " << line;
  }
}

TEST(Describe, WrapsWhereATerminalIsNarrow) {
  EXPECT_EQ(wrapped("tcpwitness: one two three\n  off  four five six", 16),
            "tcpwitness: one\n  two three\n  off  four five\n       six");
  EXPECT_EQ(wrapped("tcpwitness: one two three", 0), "tcpwitness: one two three");
  EXPECT_EQ(wrapped("exactly sixteen.\nb", 16), "exactly sixteen.\nb");
}

TEST(Describe, AHookThatIsOffSaysWhatIsLost) {
  const std::string text = describe(golden::ready());
  EXPECT_TRUE(text.contains("off     kernel_retransmit_synack (tcp:tcp_retransmit_synack): "));
  EXPECT_TRUE(text.contains("are lost"));
  EXPECT_TRUE(text.contains("kernel  3 hooks"));
}

TEST(Describe, ManyKindsOfInterfacesGetALineEach) {
  Ready ready = golden::ready();
  for (const char* name : {"wlan0", "tun0"}) {
    ready.hooks.push_back({"wire_ingress", name, std::string("xdp-") + name, ""});
  }
  const std::vector<std::string> lines = test::lines_of(describe(ready));
  EXPECT_TRUE(lines.at(0).ends_with("5 interfaces:"));
  EXPECT_TRUE(lines.at(1).starts_with("  wire    lo: in tcx"));
  EXPECT_TRUE(describe(ready).contains("tun0: in xdp-tun0, out not watched"));
}

TEST(Describe, ARecordingSaysWhereItIsAndWhatIsMissing) {
  Summary summary;
  summary.recording = RecordingTotals{.file = "a.00003.pcapng", .files = 3, .bytes = 2048};
  EXPECT_TRUE(describe(summary).contains("recorded 2.0 KiB in a.00003.pcapng and 2 files before")) << describe(summary);
  EXPECT_FALSE(describe(summary).contains("finding"));
  summary.recording->fired = 2;
  EXPECT_TRUE(describe(summary).contains("before, for 2 findings")) << describe(summary);
  summary.recording->fired = 0;
  EXPECT_TRUE(describe(summary).contains("no finding that counts fired, so it holds no events")) << describe(summary);
}

TEST(Describe, AMissingWitnessIsNamed) {
  Ready ready = golden::ready();
  std::erase_if(ready.hooks, [](const Hook& hook) { return hook.name.starts_with("wire"); });
  EXPECT_TRUE(describe(ready).contains("packets are not traced"));
  ready = golden::ready();
  std::erase_if(ready.hooks, [](const Hook& hook) { return !hook.name.starts_with("wire"); });
  EXPECT_TRUE(describe(ready).contains("kernel  not traced"));
}

TEST(Describe, AWitnessThatCouldNotBeAttachedIsInTheFirstLineAndInTheSummary) {
  Ready ready = golden::ready();
  std::erase_if(ready.hooks, [](const Hook& hook) { return !hook.name.starts_with("wire"); });
  ready.hooks.insert(ready.hooks.begin(), {.name = "kernel", .target = "", .mode = "off", .why = "it has no x()"});
  const std::string line = test::lines_of(describe(ready)).at(0);
  EXPECT_TRUE(line.contains("on Linux 6.18.5; without the kernel: it has no x(); ")) << line;
  EXPECT_FALSE(describe(ready).contains("  off     kernel (")) << "said once";
  EXPECT_TRUE(describe(ready).contains("kernel  not traced"));
  Summary summary;
  EXPECT_FALSE(describe(summary).contains("without"));
  summary.missing = missing_witnesses(ready);
  ASSERT_EQ(summary.missing.size(), 1U);
  EXPECT_TRUE(describe(summary).contains("all of it without the kernel: it has no x()")) << describe(summary);
}

TEST(Describe, TheWireAsAWholeIsNoInterface) {
  Ready ready = golden::ready();
  std::erase_if(ready.hooks, [](const Hook& hook) { return hook.name.starts_with("wire"); });
  ready.hooks.push_back({.name = "wire", .target = "", .mode = "off", .why = "refused"});
  EXPECT_TRUE(test::lines_of(describe(ready)).at(0).contains("; without the wire: refused; packets are not traced"))
      << describe(ready);
}

TEST(Describe, ASummaryWithoutLossSaysSo) {
  Summary summary{.ts_ns = 0, .connections = 1};
  EXPECT_EQ(describe(summary), "tcpwitness: 1 connection, 0 events; nothing lost");
  summary.events[TW_KIND_SEGMENT] = 1'200;
  summary.events[TW_KIND_STATE] = 1;
  EXPECT_EQ(describe(summary), "tcpwitness: 1 connection, 1,201 events (1 transition, 1,200 segments); nothing lost");
}

// The same one is looked at again and again.
TEST(Describe, LooksAtSocketsAreNoSockets) {
  Summary summary{.ts_ns = 0, .connections = 2};
  summary.events[TW_KIND_SOCKET] = 58;
  EXPECT_EQ(describe(summary), "tcpwitness: 2 connections, 58 events; nothing lost");
}

TEST(Describe, LossComesWithARemedy) {
  const std::string text = describe(golden::summary());
  EXPECT_TRUE(text.contains("1,234 lost"));
  EXPECT_TRUE(text.contains("--ring-size"));
  EXPECT_TRUE(text.contains("--port"));
}

TEST(Describe, FullMapsAndOurOwnBugsAreTold) {
  Summary summary{.ts_ns = 0, .malformed = 2, .flows_full = 7, .unaccounted = 1};
  EXPECT_TRUE(describe(summary).contains("7 times a flow gave way"));
  EXPECT_TRUE(describe(summary).contains("--flows"));
  EXPECT_TRUE(describe(summary).contains("2 records could not be decoded"));
  EXPECT_TRUE(describe(summary).contains("1 records are unaccounted for"));
}

TEST(Describe, AQuietMachineIsToldWhatToTry) {
  const std::string hint = quiet_hint(golden::ready());
  for (const char* part : {"lo, veth0, veth1", "curl", "sudo scripts/lab handshake"}) {
    EXPECT_TRUE(hint.contains(part)) << part;
  }
}

TEST(Style, ColourOnlyOnATerminal) {
  EXPECT_TRUE(choose_style({.is_tty = true, .columns = 80}).colour);
  EXPECT_EQ(choose_style({.is_tty = true, .columns = 80}).width, 80U);
  EXPECT_FALSE(choose_style({}).colour);
}

TEST(Style, NoColorIsRespectedUnlessEmpty) {
  EXPECT_FALSE(choose_style({.is_tty = true, .no_color = "1"}).colour);
  EXPECT_TRUE(choose_style({.is_tty = true, .no_color = ""}).colour);
}

TEST(Style, ADumbTerminalGetsNeitherColourNorArrows) {
  const TextStyle style = choose_style({.is_tty = true, .term = "dumb", .locale = "C.UTF-8"});
  EXPECT_FALSE(style.colour);
  EXPECT_FALSE(style.utf8);
}

TEST(Style, Utf8NeedsATerminalAndALocale) {
  EXPECT_TRUE(choose_style({.is_tty = true, .locale = "en_GB.utf8"}).utf8);
  EXPECT_FALSE(choose_style({.is_tty = true, .locale = "C"}).utf8);
  EXPECT_FALSE(choose_style({.is_tty = false, .locale = "en_GB.UTF-8"}).utf8);
}

TEST(Style, ExportedColumnsCountWhereThereIsNoTerminal) {
  EXPECT_EQ(choose_style({.columns_wanted = "120"}).width, 120U);
  EXPECT_EQ(choose_style({.columns_wanted = "wide"}).width, 0U);
  EXPECT_EQ(choose_style({.is_tty = true, .columns = 80, .columns_wanted = "120"}).width, 80U);
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// golden.cpp: fixed reports against exact files beside this one. A difference is a failure; with
// TCPWITNESS_UPDATE_GOLDEN=1 the files are written anew, to be read in the diff.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "golden/capture_reports.hpp"
#include "golden/reports.hpp"
#include "sink/views/catalogue_text.hpp"
#include "sink/views/checkup.hpp"
#include "sink/views/describe.hpp"
#include "unit/sink_capture.hpp"
#include "unit/stories.hpp"
#include "unit/top_scene.hpp"

namespace tcpwitness {
namespace {

void compare(const std::string& file, const std::string& actual) {
  const std::string path = std::string(TCPWITNESS_GOLDEN_DIR) + "/" + file;
  if (const char* update = std::getenv("TCPWITNESS_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in.is_open()) << path << " is missing; TCPWITNESS_UPDATE_GOLDEN=1 writes it";
  std::ostringstream expected;
  expected << in.rdbuf();
  EXPECT_EQ(expected.str(), actual) << "differs from " << path << "; TCPWITNESS_UPDATE_GOLDEN=1 rewrites it";
}

std::string life(const TextStyle& style) {
  return test::captured([&](Output& output) { return make_life_text(output, style); }, golden::run());
}

std::string trace(const TextStyle& style) {
  const Names names = golden::names();
  return test::captured([&](Output& output) { return make_trace_text(output, names, style); }, golden::run());
}

TEST(Golden, JsonOfARun) {
  const Names names = golden::names();
  compare("run.ndjson", test::captured([&](Output& output) { return make_json(output, names); }, golden::run()));
}

TEST(Golden, LifeTableInAFile) { compare("life.txt", life({})); }
TEST(Golden, LifeTableOn160Columns) { compare("life_160.txt", life({.width = 160})); }
TEST(Golden, LifeTableOn130Columns) { compare("life_130.txt", life({.width = 130})); }
TEST(Golden, LifeTableOn100Columns) { compare("life_100.txt", life({.width = 100})); }
TEST(Golden, LifeTableInColour) { compare("life_colour.txt", life({.colour = true, .utf8 = true, .width = 160})); }

TEST(Golden, TimelineInAFile) { compare("trace.txt", trace({})); }
TEST(Golden, TimelineOn130Columns) { compare("trace_130.txt", trace({.width = 130})); }
TEST(Golden, TimelineOn100ColumnsHasOneLane) { compare("trace_100.txt", trace({.width = 100})); }
TEST(Golden, TimelineInColour) { compare("trace_colour.txt", trace({.colour = true, .utf8 = true, .width = 130})); }

std::string capture_life(const TextStyle& style) {
  return test::captured([&](Output& output) { return make_life_text(output, style); }, golden::capture());
}

std::string capture_trace(const TextStyle& style) {
  const Names names = golden::capture_names();
  return test::captured([&](Output& output) { return make_trace_text(output, names, style); }, golden::capture());
}

TEST(Golden, JsonOfACapture) {
  const Names names = golden::capture_names();
  compare("capture.ndjson",
          test::captured([&](Output& output) { return make_json(output, names); }, golden::capture()));
}

TEST(Golden, LivesOfACapture) { compare("capture_life.txt", capture_life({.wire_alone = true})); }
TEST(Golden, LivesOfACaptureOn80Columns) {
  compare("capture_life_80.txt", capture_life({.width = 80, .wire_alone = true}));
}
TEST(Golden, LivesOfACaptureOn100Columns) {
  compare("capture_life_100.txt", capture_life({.width = 100, .wire_alone = true}));
}
TEST(Golden, TimelineOfACapture) { compare("capture_trace.txt", capture_trace({.wire_alone = true})); }
TEST(Golden, TimelineOfACaptureOn80Columns) {
  compare("capture_trace_80.txt", capture_trace({.width = 80, .wire_alone = true}));
}

// Every situation of unit/stories.hpp, as both witnesses and as the wire alone tell it.
std::string stories(const TextStyle& style) {
  std::string text;
  for (const testing::Story& story : testing::all_stories()) {
    const Reports reports = style.wire_alone
                                ? testing::run(testing::wire_alone(story.events), testing::wire_settings()).reports
                                : testing::run(story.events, testing::trace_settings()).reports;
    text += "=== " + story.name + "\n";
    text += test::captured([&](Output& output) { return make_story_text(output, testing::kernel_names(), style); },
                           reports);
  }
  return text;
}

TEST(Golden, StoriesInAFile) { compare("stories.txt", stories({})); }
TEST(Golden, StoriesOn120Columns) { compare("stories_120.txt", stories({.width = 120})); }
TEST(Golden, StoriesInColour) { compare("stories_colour.txt", stories({.colour = true, .utf8 = true, .width = 80})); }
TEST(Golden, StoriesOfTheWireAlone) { compare("stories_wire.txt", stories({.wire_alone = true})); }
TEST(Golden, StoriesOfAMixedRun) {
  const Names names = golden::names();
  compare("story.txt",
          test::captured([&](Output& output) { return make_story_text(output, names, {}); }, golden::run()));
}

TEST(Golden, TheCatalogueAsText) {
  compare("catalogue.txt", test::printed([](Output& output) { write_catalogue_text(output, {}, ""); }));
}

TEST(Golden, LivesAsATable) { compare("life.csv", test::captured(make_life_csv, golden::run())); }
TEST(Golden, LivesOfACaptureAsATable) { compare("capture_life.csv", test::captured(make_life_csv, golden::capture())); }
TEST(Golden, TimelineAsATable) {
  const Names names = golden::names();
  compare("trace.csv",
          test::captured([&](Output& output) { return make_trace_csv(output, names, false); }, golden::run()));
}
TEST(Golden, TimelineOfACaptureAsATable) {
  const Names names = golden::capture_names();
  compare("capture_trace.csv",
          test::captured([&](Output& output) { return make_trace_csv(output, names, true); }, golden::capture()));
}

TEST(Golden, WordsOfACaptureForStderr) {
  const Reports reports = golden::capture();
  Summary none = std::get<Summary>(reports.back());
  none.capture->segments = none.connections = 0;
  compare("capture_describe.txt", describe(std::get<Ready>(reports.front())) + "\n\n" +
                                      describe(std::get<Summary>(reports.back())) + "\n\n" + describe(none) + "\n");
}

TEST(Golden, WordsForStderr) {
  compare("describe.txt", describe(golden::ready()) + "\n\n" + quiet_hint(golden::ready()) + "\n\n" +
                              describe(golden::summary()) + "\n");
}

std::string top_screen(top::Table table, std::size_t width, std::size_t height, bool utf8,
                       top::Mode mode = top::Mode::tables) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const test::Scene scene = test::busy();
  top::View view;
  view.table = table;
  view.mode = mode;
  return test::plain(top::layout(
      scene.model, view, {.width = width, .height = height, .utf8 = utf8, .source = "live", .wall_ns = scene.now}));
}

TEST(Golden, TopByProcessOn80Columns) { compare("top_process_80.txt", top_screen(top::Table::process, 80, 24, true)); }
TEST(Golden, TopByProcessOn132Columns) {
  compare("top_process_132.txt", top_screen(top::Table::process, 132, 40, true));
}
TEST(Golden, TopByConnectionOn80Columns) {
  compare("top_connection_80.txt", top_screen(top::Table::connection, 80, 24, false));
}
TEST(Golden, TopByConnectionOn132Columns) {
  compare("top_connection_132.txt", top_screen(top::Table::connection, 132, 40, true));
}
TEST(Golden, TopByRemoteOn80Columns) { compare("top_remote_80.txt", top_screen(top::Table::remote, 80, 24, true)); }
TEST(Golden, TopKeysOn80Columns) {
  compare("top_help_80.txt", top_screen(top::Table::process, 80, 40, false, top::Mode::help));
}

}  // namespace
}  // namespace tcpwitness

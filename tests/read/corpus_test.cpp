// SPDX-License-Identifier: Apache-2.0
// corpus_test.cpp: read on captures of others, in every format. What it reports of them is judged elsewhere
// (tests/corpus); here it must come in the right shape, and each format must have the same connections.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "read/json_lines.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> captures() {
  const char* shared = std::getenv("TCPWITNESS_SHARED");
  const fs::path root = fs::path(shared != nullptr ? shared : TCPWITNESS_PROJECT "/../shared") / "corpus" / "captures";
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(root, none)) {
    if (entry.is_regular_file() && entry.path().extension().string().starts_with(".pcap"))
      paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

class ReadCorpus : public testing::Test {
 protected:
  void SetUp() override {
    if (paths_.empty()) GTEST_SKIP() << "there is no corpus: TCPWITNESS_SHARED names a directory with one";
  }
  std::vector<std::string> paths_ = captures();
};

TEST_F(ReadCorpus, EveryFormatTellsOfTheSameConnections) {
  for (const std::string& path : paths_) {
    SCOPED_TRACE(path);
    const ProgramOutput reported = tcpwitness({"read", path, "-o", "json"});
    EXPECT_EQ(reported.status == 0, !reported.err.contains("cannot")) << reported.err;
    EXPECT_LT(reported.status, 2);
    const auto lines = lines_of(reported.out);
    ASSERT_GE(lines.size(), 2U);
    std::map<std::string, std::size_t> types;
    for (const std::string& line : lines) types[json::parse(line)["type"].get<std::string>()]++;
    EXPECT_EQ(json::parse(lines.front())["type"], "ready");
    const json summary = json::parse(lines.back());
    EXPECT_EQ(summary["type"], "summary");
    EXPECT_EQ(summary["connections"], types["life"]);
    EXPECT_EQ(lines_of(tcpwitness({"read", path, "-o", "csv"}).out).size(), 1 + types["life"]);
    const std::size_t table = lines_of(tcpwitness({"read", path}).out).size();
    EXPECT_EQ(table, types["life"] == 0 ? 0 : 1 + types["life"]);
  }
}

TEST_F(ReadCorpus, EverySegmentIsInATimelineOfAllPackets) {
  for (const std::string& path : paths_) {
    SCOPED_TRACE(path);
    const ProgramOutput reported = tcpwitness({"read", "--trace", "--packets", "all", path, "-o", "json"});
    std::uint64_t segments = 0;
    std::set<std::uint64_t> ids;
    std::uint64_t lives = 0;
    json summary;
    for (const std::string& line : lines_of(reported.out)) {
      const json object = json::parse(line);
      if (object["type"] == "life") lives++;
      if (object["type"] == "summary") summary = object;
      if (object["type"] != "segment") continue;
      segments++;
      EXPECT_TRUE(ids.insert(object["id"].get<std::uint64_t>()).second) << "each once, in the order of time";
    }
    EXPECT_EQ(segments, summary["capture"]["segments"].get<std::uint64_t>());
    EXPECT_EQ(lives, summary["connections"].get<std::uint64_t>());
  }
}

TEST_F(ReadCorpus, ATimelineFitsItsTerminal) {
  for (const std::string& path : paths_) {
    SCOPED_TRACE(path);
    Program program({"read", "--trace", path}, {.in_child = [] { ::setenv("COLUMNS", "100", 1); }});
    for (const std::string& line : lines_of(program.wait().out)) {
      if (line.starts_with('#')) continue;  // a heading is never cut
      EXPECT_LE(line.size(), 100U) << line;
    }
  }
}

// Seeds of an old layout are refused at their first block, and the fuzzer tries nothing behind it.
TEST(ReadSeed, TheFuzzersRecordingsAreOfTodaysLayout) {
  for (const char* seed : {"connection", "cut"}) {
    const std::string path = TCPWITNESS_PROJECT "/tests/fuzz/corpus/recording/" + std::string(seed);
    const ProgramOutput reported = tcpwitness({"read", path, "-o", "json"});
    EXPECT_FALSE(reported.err.contains("layout")) << reported.err << "scripts/fuzz --seeds records them anew";
    const auto all = objects(reported.out);
    ASSERT_FALSE(all.empty()) << reported.err;
    EXPECT_EQ(all.back()["malformed"], 0) << all.back().dump();
    EXPECT_GT(all.back()["events"]["state"], 0) << all.back().dump();
    if (seed == std::string_view("connection")) {
      EXPECT_EQ(only(all, "life").size(), 2U);
    }
  }
}

}  // namespace
}  // namespace tcpwitness::read_test

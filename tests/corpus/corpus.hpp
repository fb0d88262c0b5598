// SPDX-License-Identifier: Apache-2.0
// corpus.hpp: third-party captures and what other programs reported of them, as they lie in the shared directory
// (environment variable TCPWITNESS_SHARED, else beside the project).
//
// TCPWITNESS_CORPUS names another directory laid out in the same way: captures/, tshark/, zeek/.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tcpwitness::testing {

[[nodiscard]] std::filesystem::path corpus_directory();

// Captures for which tshark/ has a file with this ending, as paths relative to captures/. Sorted.
[[nodiscard]] std::vector<std::string> captures_with(std::string_view ending);
[[nodiscard]] std::filesystem::path capture_path(const std::string& capture);
[[nodiscard]] std::filesystem::path verdict_path(const std::string& capture, std::string_view ending);

// A table with tabs between and names in its first line.
class Table {
 public:
  static Table read(const std::filesystem::path& path);

  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  // Empty where there is no such field.
  [[nodiscard]] const std::string& at(std::size_t row, std::string_view column) const;
  // The last of several values with commas between (tshark's several headers in one frame: the innermost).
  [[nodiscard]] std::string last(std::size_t row, std::string_view column) const;

 private:
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tcpwitness::testing

// For tests that need it: skips where it is not there.
#define TCPWITNESS_NEED_CORPUS()                                                                                 \
  if (!std::filesystem::exists(::tcpwitness::testing::corpus_directory() / "captures"))                          \
  GTEST_SKIP() << "no captures in " << ::tcpwitness::testing::corpus_directory() << " (TCPWITNESS_SHARED names " \
               << "the directory that holds corpus/)"

// SPDX-License-Identifier: Apache-2.0
#include "corpus/corpus.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace tcpwitness::testing {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = line.find('\t', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return fields;
    begin = end + 1;
  }
}

}  // namespace

std::filesystem::path corpus_directory() {
  if (const char* own = std::getenv("TCPWITNESS_CORPUS")) return own;
  const char* shared = std::getenv("TCPWITNESS_SHARED");
  return std::filesystem::path(shared != nullptr ? shared : TCPWITNESS_SHARED_DIR) / "corpus";
}

std::vector<std::string> captures_with(std::string_view ending) {
  std::vector<std::string> captures;
  const std::filesystem::path verdicts = corpus_directory() / "tshark";
  if (!std::filesystem::exists(verdicts)) return captures;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(verdicts)) {
    std::string name = entry.path().lexically_relative(verdicts).string();
    if (!name.ends_with(ending)) continue;
    name.resize(name.size() - ending.size());
    captures.push_back(std::move(name));
  }
  std::sort(captures.begin(), captures.end());
  return captures;
}

std::filesystem::path capture_path(const std::string& capture) { return corpus_directory() / "captures" / capture; }

std::filesystem::path verdict_path(const std::string& capture, std::string_view ending) {
  return corpus_directory() / "tshark" / (capture + std::string(ending));
}

Table Table::read(const std::filesystem::path& path) {
  Table table;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return table;
  const std::vector<std::string> names = fields_of(line);
  for (std::size_t i = 0; i < names.size(); i++) table.columns_.emplace(names[i], i);
  while (std::getline(file, line)) table.rows_.push_back(fields_of(line));
  return table;
}

const std::string& Table::at(std::size_t row, std::string_view column) const {
  static const std::string none;
  const auto found = columns_.find(column);
  if (found == columns_.end() || found->second >= rows_.at(row).size()) return none;
  return rows_.at(row)[found->second];
}

std::string Table::last(std::size_t row, std::string_view column) const {
  const std::string& all = at(row, column);
  const std::size_t comma = all.rfind(',');
  return comma == std::string::npos ? all : all.substr(comma + 1);
}

}  // namespace tcpwitness::testing

// SPDX-License-Identifier: Apache-2.0
#include "cli/config_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "cli/option_table.hpp"

namespace tcpwitness::cli {
namespace {

// CLI11 takes minutes for a file of some 10 MB that somebody has named by mistake.
constexpr std::uintmax_t most_bytes = 1U << 20U;

std::vector<std::string> named_files(std::span<const std::string> arguments) {
  constexpr std::string_view option = "--config";
  std::vector<std::string> files;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == option && i + 1 < arguments.size())
      files.push_back(arguments[++i]);
    else if (arguments[i].starts_with("--config="))
      files.push_back(arguments[i].substr(option.size() + 1));
  }
  return files;
}

// The option that an argument gives: "--port", "--port=80", "-p80"; null: none.
const Option* option_of(std::string_view argument) {
  const std::string_view word = argument.substr(0, argument.find('='));
  const auto options = option_table();
  const auto found = std::ranges::find_if(options, [&](const Option& option) {
    const std::string_view letter = option.short_name();
    return word == option.long_name() || (!letter.empty() && argument.starts_with(letter));
  });
  return found == options.end() ? nullptr : &*found;
}

// By an argument that is neither another option's value nor the command that is run.
bool is_given(std::string_view name, std::span<const std::string> arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const Option* const option = option_of(arguments[i]);
    if (option == nullptr) continue;
    if (option->long_name() == name) return true;
    if (option->takes_value() && (arguments[i] == option->long_name() || arguments[i] == option->short_name())) ++i;
  }
  return false;
}

// "port" of `port = 80`.
std::string_view key_of(std::string_view line) {
  const std::string_view key = line.substr(0, line.find('='));
  const std::size_t begin = std::min(key.find_first_not_of(" \t"), key.size());
  return key.substr(begin, key.find_last_not_of(" \t") + 1 - begin);
}

// The lines that set it, from 1.
std::vector<std::size_t> lines_of(std::string_view key, const std::string& file) {
  std::vector<std::size_t> found;
  std::ifstream lines(file);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (key_of(line) == key) found.push_back(number);
  }
  return found;
}

// Where the one file that is named sets it, and the arguments do not.
std::vector<std::size_t> lines_in_file(std::string_view name, std::span<const std::string> arguments) {
  const std::vector<std::string> files = named_files(arguments);
  std::error_code gone;
  if (files.size() != 1 || !std::filesystem::is_regular_file(files.front(), gone) || is_given(name, arguments))
    return {};
  return lines_of(name.substr(2), files.front());
}

}  // namespace

// CLI11 gives no reason, and never comes to the end of a device.
std::string unreadable_file(std::span<const std::string> arguments) {
  for (const std::string& name : named_files(arguments)) {
    if (name.empty()) return "--config: the name of the file is empty";
    std::error_code why;
    const auto kind = std::filesystem::status(name, why).type();
    if (!why && ::access(name.c_str(), R_OK) != 0) why.assign(errno, std::generic_category());
    if (why) return fmt::format("--config {}: {}", name, why.message());
    if (kind == std::filesystem::file_type::directory) return fmt::format("--config {}: it is a directory", name);
    if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::fifo)
      return fmt::format("--config {}: it is no regular file", name);
    if (kind == std::filesystem::file_type::regular && std::filesystem::file_size(name, why) > most_bytes && !why)
      return fmt::format("--config {}: it has more than 1 MiB: no file of options", name);
  }
  return "";
}

bool is_once_in_file(std::string_view name, std::span<const std::string> arguments) {
  return lines_in_file(name, arguments).size() == 1;
}

std::string place_in_file(std::string_view why, std::span<const std::string> arguments) {
  // The first one is what is wrong; what may have been meant comes behind it.
  std::size_t at = why.find("--");
  if (why.starts_with("--config: ")) at = why.find("--", 2);
  if (at == std::string_view::npos) return "";
  const std::string_view name = why.substr(at, why.find_first_not_of("abcdefghijklmnopqrstuvwxyz-0123456789", at) - at);
  const std::vector<std::size_t> lines = lines_in_file(name, arguments);
  return lines.empty() ? "" : fmt::format(" (line {} of {})", lines.front(), named_files(arguments).front());
}

}  // namespace tcpwitness::cli

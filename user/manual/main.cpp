// SPDX-License-Identifier: Apache-2.0
// main.cpp: writes the manual and the completions. A build runs it; it is not installed.
//
//   tcpwitness_manual DIRECTORY    -> DIRECTORY/man8/tcpwitness.8, ..., DIRECTORY/completions/...
#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "cli/pages.hpp"
#include "manual/pages.hpp"
#include "version/version.hpp"

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::filesystem::filesystem_error("write", path, std::make_error_code(std::errc::io_error));
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace tcpwitness;
  if (argc != 2) {
    fmt::print(stderr, "usage: tcpwitness_manual DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path to = argv[1];
  const manual::Edition edition{.version = version, .date = commit_date};
  write(to / "man8/tcpwitness.8", manual::program_page(edition));
  for (const cli::Page& page : cli::pages())
    write(to / fmt::format("man8/tcpwitness-{}.8", page.name), manual::command_page(page.command, edition));
  write(to / "man7/tcpwitness-findings.7", manual::findings_page(edition));
  write(to / "completions/tcpwitness.bash", manual::bash_completion());
  write(to / "completions/_tcpwitness", manual::zsh_completion());
  write(to / "completions/tcpwitness.fish", manual::fish_completion());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "tcpwitness_manual: {}\n", error.what());
  return 1;
}

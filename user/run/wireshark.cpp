// SPDX-License-Identifier: Apache-2.0
// wireshark.cpp: the Lua plugin, the profile and the extcap, into this user's directories of Wireshark and out of them.
//
// A file is ours where it says that this command installed it, or is what this command would install. Others are never
// touched: the user's own changes to the profile (Wireshark then writes the file anew), another plugin of that name.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/messages.hpp"
#include "run/run.hpp"
#include "run/wireshark_files.hpp"
#include "sink/format.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark = "tcpwitness wireshark --install";
constexpr std::size_t mark_within = 1000;  // bytes of the file's beginning

struct Folders {
  fs::path lua;
  fs::path configuration;
  fs::path extcap;
};

struct File {
  fs::path path;
  std::string text;
  mode_t mode = 0644;
};

enum class There : std::uint8_t { nothing, ours, current, foreign };

// What a program prints, if it is there and ends well.
std::optional<std::string> output_of(const char* command) {
  const auto close = [](FILE* pipe) { ::pclose(pipe); };
  std::unique_ptr<FILE, decltype(close)> pipe(::popen(command, "re"), close);
  if (!pipe) return std::nullopt;
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe.get())) text.append(part.data(), got);
  if (::pclose(pipe.release()) != 0) return std::nullopt;
  return text;
}

// "Personal Lua Plugins:\t/home/u/.local/lib/wireshark/plugins"; empty where it is not named.
fs::path folder(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    const std::size_t path = line.find('/');
    if (path != std::string_view::npos) return fs::path(line.substr(path));
  }
  return {};
}

// Of the program that is there; of none, where they would be by default.
std::optional<Folders> find_folders() {
  std::string printed;
  for (const char* command : {"tshark -G folders 2>/dev/null", "wireshark -G folders 2>/dev/null"}) {
    if (auto text = output_of(command)) {
      printed = *std::move(text);
      break;
    }
  }
  const char* home = std::getenv("HOME");
  Folders folders{.lua = folder(printed, "Personal Lua Plugins:"),
                  .configuration = folder(printed, "Personal configuration:"),
                  .extcap = folder(printed, "Personal Extcap path:")};
  if (home == nullptr || *home != '/') {
    if (folders.lua.empty() || folders.configuration.empty()) return std::nullopt;
  } else {
    if (folders.lua.empty()) folders.lua = fs::path(home) / ".local/lib/wireshark/plugins";
    if (folders.configuration.empty()) folders.configuration = fs::path(home) / ".config/wireshark";
  }
  // Before 4.2 it is named nowhere.
  if (folders.extcap.empty()) folders.extcap = folders.configuration / "extcap";
  return folders;
}

// In single quotes for a shell.
std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char c : text) all += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return all + "'";
}

// It starts this very program, wherever that is.
std::string extcap_script() {
  std::string text(wireshark_files::extcap_sh);
  std::error_code none;
  const fs::path self = fs::read_symlink("/proc/self/exe", none);
  constexpr std::string_view line = "\nprogram=tcpwitness";
  const std::size_t at = text.find(line);
  if (!none && at != std::string::npos) text.replace(at, line.size(), "\nprogram=" + quoted(self.string()));
  return text;
}

std::vector<File> files_in(const Folders& folders) {
  const fs::path profile = folders.configuration / "profiles/tcpwitness";
  return {{folders.lua / "tcpwitness.lua", std::string(wireshark_files::tcpwitness_lua)},
          {profile / "colorfilters", std::string(wireshark_files::profile_colorfilters)},
          {profile / "preferences", std::string(wireshark_files::profile_preferences)},
          {profile / "dfilter_buttons", std::string(wireshark_files::profile_dfilter_buttons)},
          {folders.extcap / "tcpwitness", extcap_script(), 0755}};
}

There look_at(const File& file) {
  struct stat status{};
  if (::lstat(file.path.c_str(), &status) != 0) return errno == ENOENT ? There::nothing : There::foreign;
  if (!S_ISREG(status.st_mode)) return There::foreign;
  const UniqueFd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) return There::foreign;
  std::string text(file.text.size() + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + have, text.size() - have);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  if (text == file.text && (status.st_mode & 0777U) == file.mode) return There::current;
  return text == file.text || text.substr(0, mark_within).contains(mark) ? There::ours : There::foreign;
}

// Whole, or not at all.
std::optional<std::string> write(const File& file) {
  std::error_code error;
  fs::create_directories(file.path.parent_path(), error);
  if (error) return error.message();
  std::string name = file.path.string() + ".XXXXXX";
  const UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) return std::strerror(errno);
  std::string_view left = file.text;
  bool good = ::fchmod(fd.get(), file.mode) == 0;
  while (good && !left.empty()) {
    const ssize_t put = ::write(fd.get(), left.data(), left.size());
    good = put > 0;
    if (good) left.remove_prefix(static_cast<std::size_t>(put));
  }
  if (good && ::rename(name.c_str(), file.path.c_str()) == 0) return std::nullopt;
  const int why = errno;
  ::unlink(name.c_str());
  return std::strerror(why);
}

void print(std::string_view what, const fs::path& path) {
  fmt::print("{:<14} {}\n", what, printable(path.string(), true));
}

// What is not said of a file goes to stderr: it was left as it is.
bool say_kept(const fs::path& path) {
  say(
      fmt::format("tcpwitness: {} is not of tcpwitness, or was changed since: left as it is. To have it replaced, move "
                  "it away",
                  printable(path.string(), true)));
  return false;
}

bool install(const File& file) {
  switch (look_at(file)) {
    case There::foreign:
      return say_kept(file.path);
    case There::current:
      print("up to date", file.path);
      return true;
    case There::nothing:
    case There::ours:
      break;
  }
  if (const auto wrong = write(file)) {
    say(fmt::format("tcpwitness: cannot write {}: {}", printable(file.path.string(), true), *wrong));
    return false;
  }
  print("installed", file.path);
  return true;
}

bool uninstall(const File& file) {
  const There there = look_at(file);
  if (there == There::nothing) return true;
  if (there == There::foreign) return say_kept(file.path);
  if (::unlink(file.path.c_str()) != 0) {
    say(fmt::format("tcpwitness: cannot remove {}: {}", printable(file.path.string(), true), std::strerror(errno)));
    return false;
  }
  print("removed", file.path);
  return true;
}

bool show(const File& file) {
  switch (look_at(file)) {
    case There::nothing:
      print("not installed", file.path);
      break;
    case There::ours:
      print("other version", file.path);
      break;
    case There::current:
      print("installed", file.path);
      break;
    case There::foreign:
      print("not ours", file.path);
      break;
  }
  return true;
}

}  // namespace

int run_wireshark(const Options& options) {
  const auto folders = find_folders();
  if (!folders)
    return fail({"find the directories of Wireshark", "there is no tshark, and HOME is not set", "set HOME"});
  bool good = true;
  for (const File& file : files_in(*folders)) {
    const bool done = options.wireshark.install     ? install(file)
                      : options.wireshark.uninstall ? uninstall(file)
                                                    : show(file);
    good = good && done;
  }
  if (options.wireshark.install && ::geteuid() == 0) {
    say("tcpwitness: this is root's. Wireshark 4.4, among others, runs no Lua of root's own directory: as root it "
        "needs "
        "the plugin for all users, which the package installs");
  }
  if (options.wireshark.uninstall) {
    // Only where nothing else is in it.
    std::error_code ignored;
    fs::remove(folders->configuration / "profiles/tcpwitness", ignored);
  }
  return good ? 0 : 1;
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// wireshark.cpp: the Lua plugin, the profile and the extcap, into this user's directories of Wireshark and out of them.
//
// A file is ours where it has the mark that this command installed it, with a digest that its text still has. Others
// are never touched: the user's own changes to the profile (Wireshark then writes the file anew), another plugin of
// that name.
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

constexpr std::string_view mark = "\"tcpwitness wireshark --install\"";
constexpr std::size_t mark_within = 1000;        // bytes of the file's beginning
constexpr std::size_t longest_file = 1UL << 20;  // of any version

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

enum class There : std::uint8_t { nothing, ours, current, changed, foreign, hidden };

struct Look {
  There there = There::nothing;
  int error = 0;  // why it is hidden
};

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

// " (text 0123456789abcdef)": FNV-1a, against what somebody has changed and not against who forges it.
std::string digest_of(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325U;
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format(" (text {:016x})", digest);
}

// Behind the mark the digest of all else.
std::string with_digest(std::string text) {
  const std::string digest = digest_of(text);
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? text : text.insert(at + mark.size(), digest);
}

std::vector<File> files_in(const Folders& folders) {
  const fs::path profile = folders.configuration / "profiles/tcpwitness";
  std::vector<File> files{{folders.lua / "tcpwitness.lua", std::string(wireshark_files::tcpwitness_lua)},
                          {profile / "colorfilters", std::string(wireshark_files::profile_colorfilters)},
                          {profile / "preferences", std::string(wireshark_files::profile_preferences)},
                          {profile / "dfilter_buttons", std::string(wireshark_files::profile_dfilter_buttons)},
                          {folders.extcap / "tcpwitness", extcap_script(), 0755}};
  for (File& file : files) file.text = with_digest(std::move(file.text));
  return files;
}

bool has_its_digest(std::string text, std::size_t at) {
  const std::size_t size = digest_of("").size();
  const std::string digest = text.substr(at + mark.size(), size);
  text.erase(at + mark.size(), size);
  return digest_of(text) == digest;
}

Look look_at(const File& file) {
  struct stat status{};
  const auto hidden = [] { return Look{There::hidden, errno}; };
  if (::lstat(file.path.c_str(), &status) != 0) return errno == ENOENT ? Look{} : hidden();
  if (!S_ISREG(status.st_mode)) return {There::foreign};
  const UniqueFd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) return hidden();
  std::string text(longest_file, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + have, text.size() - have);
    if (got < 0) return hidden();
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  if (text == file.text) return {(status.st_mode & 0777U) == file.mode ? There::current : There::ours};
  const std::size_t at = text.substr(0, mark_within).find(mark);
  if (at == std::string::npos) return {There::foreign};
  return {has_its_digest(std::move(text), at) ? There::ours : There::changed};
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

// It was left as it is, and why.
bool say_kept(const fs::path& path, const Look& look) {
  const std::string name = printable(path.string(), true);
  if (look.there == There::hidden) {
    say(fmt::format("tcpwitness: cannot read {}: {}", name, std::strerror(look.error)));
    return false;
  }
  say(fmt::format("tcpwitness: {} {}: left as it is. To have it replaced, move it away", name,
                  look.there == There::changed ? "was changed since it was installed" : "is not of tcpwitness"));
  return false;
}

// Neither replaced nor removed.
bool is_kept(There there) { return there == There::changed || there == There::foreign || there == There::hidden; }

bool install(const File& file) {
  const Look look = look_at(file);
  if (is_kept(look.there)) return say_kept(file.path, look);
  if (look.there == There::current) {
    print("up to date", file.path);
    return true;
  }
  if (const auto wrong = write(file)) {
    say(fmt::format("tcpwitness: cannot write {}: {}", printable(file.path.string(), true), *wrong));
    return false;
  }
  print("installed", file.path);
  return true;
}

// As far up as they are empty, and below the home directory.
void remove_empty(const fs::path& folder) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return;
  const std::string above =
      fs::path(home).lexically_normal().string() + (std::string_view(home).ends_with('/') ? "" : "/");
  for (fs::path at = folder.lexically_normal(); at.string().starts_with(above) && at.string() != above;
       at = at.parent_path()) {
    if (::rmdir(at.c_str()) != 0) return;
  }
}

bool uninstall(const File& file) {
  const Look look = look_at(file);
  if (is_kept(look.there)) return say_kept(file.path, look);
  if (look.there == There::nothing) return true;
  if (::unlink(file.path.c_str()) != 0) {
    say(fmt::format("tcpwitness: cannot remove {}: {}", printable(file.path.string(), true), std::strerror(errno)));
    return false;
  }
  print("removed", file.path);
  remove_empty(file.path.parent_path());
  return true;
}

bool show(const File& file) {
  const Look look = look_at(file);
  switch (look.there) {
    case There::nothing:
      print("not installed", file.path);
      break;
    case There::ours:
      print("other version", file.path);
      break;
    case There::current:
      print("installed", file.path);
      break;
    case There::changed:
      print("changed", file.path);
      break;
    case There::foreign:
      print("not ours", file.path);
      break;
    case There::hidden:
      return say_kept(file.path, look);
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
  return good ? 0 : 1;
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
#include "recording/file_names.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

constexpr std::string_view conversions = "YmdHMS";
constexpr std::size_t number_digits = 5;  // at least
constexpr std::uint32_t usual_numbers = 99'999;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// As with_number() writes it.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const char* const begin = text.data();
  std::uint32_t number = 0;
  if (digits < number_digits || (digits > number_digits && text.front() == '0') ||
      std::from_chars(begin, begin + digits, number).ec != std::errc{})
    return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

// Takes exactly so many digits off the front.
bool take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count || !std::ranges::all_of(text.substr(0, count), is_digit)) return false;
  text.remove_prefix(count);
  return true;
}

// `pattern` is a name with conversions; what is left of `name` behind it stays there.
bool take_pattern(std::string_view& name, std::string_view pattern) {
  while (!pattern.empty()) {
    const char kind = pattern.size() > 1 && pattern[0] == '%' ? pattern[1] : '\0';
    if (conversions.contains(kind) && kind != '\0') {
      if (!take_digits(name, kind == 'Y' ? 4 : 2)) return false;
      pattern.remove_prefix(2);
      continue;
    }
    if (name.empty() || name.front() != pattern.front()) return false;
    name.remove_prefix(1);
    pattern.remove_prefix(kind == '%' ? 2 : 1);
  }
  return true;
}

std::filesystem::path directory_of(std::string_view path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

// A name with the time in it is numbered by itself, whichever part of its run that is.
bool says_that_it_is(std::uint32_t number, const std::string& file, bool timed) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<char, 1024> head{};  // the section, and the start's first lines
  const ssize_t length = fd.valid() ? ::read(fd.get(), head.data(), head.size()) : -1;
  if (length <= 0) return false;
  const std::string_view text(head.data(), static_cast<std::size_t>(length));
  return text.contains("tcpwitness") && text.contains(timed ? "\npart=" : fmt::format("\npart={}\n", number));
}

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace

bool has_time(std::string_view path) {
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (path[i] != '%') continue;
    if (conversions.contains(path[i + 1])) return true;
    ++i;
  }
  return false;
}

std::string with_time(std::string_view path, std::int64_t wall_ns) {
  const std::time_t seconds = wall_ns / 1'000'000'000;
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char kind = path[i] == '%' && i + 1 < path.size() ? path[i + 1] : '\0';
    switch (kind) {
      case 'Y':
        out += fmt::format("{:04}", time.tm_year + 1900);
        break;
      case 'm':
        out += fmt::format("{:02}", time.tm_mon + 1);
        break;
      case 'd':
        out += fmt::format("{:02}", time.tm_mday);
        break;
      case 'H':
        out += fmt::format("{:02}", time.tm_hour);
        break;
      case 'M':
        out += fmt::format("{:02}", time.tm_min);
        break;
      case 'S':
        out += fmt::format("{:02}", time.tm_sec);
        break;
      case '%':
        out += '%';
        break;
      default:
        out += path[i];
        continue;
    }
    ++i;
  }
  return out;
}

std::string with_number(const std::string& path, std::uint32_t number) {
  const std::filesystem::path whole(path);
  const std::string name =
      fmt::format("{}.{:0{}}{}", whole.stem().string(), number, number_digits, whole.extension().string());
  return (whole.parent_path() / name).string();
}

std::optional<std::uint32_t> number_of(std::string_view name, std::string_view path) {
  const std::string whole = std::filesystem::path(path).filename().string();
  const std::string extension = std::filesystem::path(whole).extension().string();
  const std::string_view stem = std::string_view(whole).substr(0, whole.size() - extension.size());
  if (!take_pattern(name, stem)) return std::nullopt;
  std::string_view plain = name;
  if (take_pattern(plain, extension) && plain.empty()) return 1;
  if (!name.starts_with('.')) return std::nullopt;
  name.remove_prefix(1);
  const auto number = take_number(name);
  return number && take_pattern(name, extension) && name.empty() ? number : std::nullopt;
}

std::vector<std::string> too_many(std::vector<RecordedFile> files, const Limits& limits) {
  std::ranges::sort(files, {}, [](const RecordedFile& file) { return std::pair(-file.age, file.number); });
  std::uint64_t total = 0;
  for (const RecordedFile& file : files) total += file.bytes;
  std::vector<std::string> over;
  for (const RecordedFile& file : files) {
    const bool old = limits.longest.count() != 0 && file.age > limits.longest;
    const bool much = limits.total_bytes != 0 && total > limits.total_bytes;
    if (file.open || (!old && !much)) continue;
    over.push_back(file.path);
    total -= file.bytes;
  }
  return over;
}

bool is_open_as(const std::string& path, int fd) {
  struct stat file{};
  struct stat open{};
  return fd >= 0 && ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &file) == 0 && is_same(file, open);
}

std::vector<RecordedFile> files_of_recording(const std::string& path, int fd) {
  std::vector<RecordedFile> files;
  struct stat open{};
  const bool timed = has_time(path);
  const bool knows_open = fd >= 0 && ::fstat(fd, &open) == 0;
  std::error_code error;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  for (const auto& entry : std::filesystem::directory_iterator(directory_of(path), error)) {
    struct stat file{};
    const std::string name = entry.path().filename().string();
    const auto number = number_of(name, path);
    if (!number || ::lstat(entry.path().c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
    if (*number > usual_numbers && !says_that_it_is(*number, entry.path(), timed)) continue;
    const std::string found = (std::filesystem::path(path).parent_path() / name).string();
    const auto age = std::chrono::seconds(now.tv_sec - file.st_mtim.tv_sec) +
                     std::chrono::nanoseconds(now.tv_nsec - file.st_mtim.tv_nsec);
    files.push_back({.path = found,
                     .bytes = static_cast<std::uint64_t>(file.st_size),
                     .age = age,
                     .number = *number,
                     .open = knows_open && is_same(file, open)});
  }
  return files;
}

}  // namespace tcpwitness

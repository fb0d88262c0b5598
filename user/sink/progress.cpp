// SPDX-License-Identifier: Apache-2.0
// progress.cpp: see progress.hpp. One write(2) a drawing, no newline, never as wide as the terminal (the cursor would
// wrap).
#include "sink/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sink/format.hpp"

namespace tcpwitness {
namespace {

using namespace std::chrono_literals;

constexpr auto first_after = 1s;
constexpr auto redraw_every = 200ms;
constexpr unsigned bar_most = 40;

unsigned width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : 80U;
}

std::string rate(double packets_per_second) {
  if (packets_per_second < 999.5) return fmt::format("{:.0f} packets/s", packets_per_second);
  if (packets_per_second < 999.5e3) return fmt::format("{:.0f} k packets/s", packets_per_second / 1e3);
  return fmt::format("{:.1f} M packets/s", packets_per_second / 1e6);
}

}  // namespace

std::string progress_line(std::uint64_t done_bytes, std::uint64_t total_bytes, std::uint64_t packets,
                          std::chrono::nanoseconds spent, unsigned columns) {
  const double share =
      total_bytes == 0 ? 0 : std::min(1.0, static_cast<double>(done_bytes) / static_cast<double>(total_bytes));
  const double seconds = std::max(1e-9, static_cast<double>(spent.count()) / 1e9);
  std::string percent = fmt::format("{:3.0f} %", share * 100);
  std::string words = rate(static_cast<double>(packets) / seconds);
  if (share > 0) {
    const std::int64_t left = std::llround(seconds * (1 - share) / share);
    words += ", " + duration_in_words(left * 1'000'000'000) + " left";
  }
  if (columns <= percent.size()) return "";
  const std::size_t room = columns - 1;  // one column is left for the cursor
  if (room < percent.size() + 2 + words.size()) return percent;
  const std::size_t spare = room - percent.size() - words.size();
  if (spare < 4 + 2 + 8) return percent + "  " + words;
  const std::size_t bar = std::min<std::size_t>(bar_most, spare - 4 - 2);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(bar));
  std::string drawn(full, '=');
  if (full < bar) drawn += '>';
  drawn.resize(bar, ' ');
  return fmt::format("{}  [{}]  {}", percent, drawn, words);
}

Progress::Progress(std::uint64_t total_bytes)
    : total_bytes_(::isatty(STDERR_FILENO) == 1 ? total_bytes : 0), next_(started_ + first_after) {}

void Progress::at(std::uint64_t done_bytes, std::uint64_t packets, Clock::time_point now) {
  if (total_bytes_ == 0 || now < next_) return;
  next_ = now + redraw_every;
  fmt::print(stderr, "\r{}\x1b[K", progress_line(done_bytes, total_bytes_, packets, now - started_, width()));
  std::fflush(stderr);
  shown_ = true;
}

void Progress::erase() {
  if (!std::exchange(shown_, false)) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace tcpwitness

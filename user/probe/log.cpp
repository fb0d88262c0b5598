// SPDX-License-Identifier: Apache-2.0
#include "probe/log.hpp"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <utility>

namespace tcpwitness {
namespace {

constexpr std::size_t max_log_bytes = 64U << 20U;  // libbpf's own limit on a verifier log is 16 MiB

std::string& log_text() {
  static std::string text;
  return text;
}

int collect(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  // Twice: a verifier log comes as one message of any size, and its end is what matters.
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  auto& text = log_text();
  if (length > 0 && text.size() + static_cast<std::size_t>(length) < max_log_bytes) {
    const std::size_t before = text.size();
    text.resize(before + static_cast<std::size_t>(length) + 1);
    std::vsnprintf(text.data() + before, static_cast<std::size_t>(length) + 1, format, again);
    text.pop_back();
  }
  va_end(again);
  return length;
}

}  // namespace

void capture_libbpf_log() { libbpf_set_print(collect); }

std::string take_libbpf_log() { return std::exchange(log_text(), {}); }

std::string failed_program(const std::string& log) {
  const auto failed = log.find("': failed to load");
  if (failed == std::string::npos) return {};
  const auto start = log.rfind('\'', failed - 1);
  return start == std::string::npos ? std::string() : log.substr(start + 1, failed - start - 1);
}

std::string verifier_tail(const std::string& log) {
  constexpr std::string_view end_mark = "-- END PROG LOAD LOG --";
  const auto end = log.find(end_mark);
  if (end == std::string::npos) return {};
  auto start = end;
  for (int lines = 0; lines < 4 && start > 0; lines++) {
    const auto previous = log.rfind('\n', start - 1);
    if (previous == std::string::npos) break;
    start = previous;
  }
  std::string tail = log.substr(start + 1, end - start - 1);
  for (auto& byte : tail) {
    if (byte == '\n') byte = ' ';
  }
  return tail;
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
#include "probe/log.hpp"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>

namespace tcpwitness {
namespace {

constexpr std::size_t max_log_bytes = 64U << 20U;  // libbpf's own limit on a verifier log is 16 MiB

std::string& log_text() {
  thread_local std::string text;  // objects are loaded side by side
  return text;
}

std::mutex refusal_lock;
std::string& refusal() {
  static std::string text;
  return text;
}

// What stands behind `before` in the log, up to one of the characters in `until`; "" where `before` is not there.
std::string_view word_after(std::string_view log, std::string_view before, std::string_view until) {
  const auto at = log.rfind(before);
  if (at == std::string_view::npos) return {};
  log.remove_prefix(at + before.size());
  return log.substr(0, log.find_first_of(until));
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

std::string refusal_in_words(const std::string& log) {
  // libbpf puts a call that does not exist where a field is read that the kernel does not have.
  if (log.contains("<invalid CO-RE relocation>")) {
    const std::string_view field = word_after(log, "] struct ", " ");
    if (!field.empty()) return fmt::format("this kernel has no field {}", field);
  }
  if (const std::string_view helper = word_after(log, "unknown func ", "#\n "); helper.starts_with("bpf_"))
    return fmt::format("this kernel has no {}() for such programs", helper);
  if (log.contains("Arg#") && log.contains("is not supported yet"))
    return "this kernel's BPF functions take no pointers (since Linux 5.12)";
  if (log.contains("BPF program is too large") || log.contains("is too complex"))
    return "this kernel's verifier finds it too large";
  if (log.contains("failed to load: -1\n") || log.contains("Operation not permitted"))
    return "this kernel does not allow it (EPERM)";
  return "this kernel's verifier refuses it ('tcpwitness doctor' shows its words)";
}

std::string newest_refusal() {
  const std::scoped_lock one(refusal_lock);
  return refusal();
}
void keep_refusal(const std::string& log) {
  const std::scoped_lock one(refusal_lock);
  refusal() = verifier_tail(log);
}

}  // namespace tcpwitness

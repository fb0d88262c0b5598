// SPDX-License-Identifier: Apache-2.0
// file_names.hpp: the names of a recording's files: "trace.pcapng", "trace.00002.pcapng", or with the time in them.
//
// What belongs to a recording is known by its whole name: other files of the same directory are never touched. A number
// of more digits than usual could be another program's date: there the file must say that it is this part.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpwitness {

// %Y, %m, %d, %H, %M, %S (UTC) and %%; anything else stays as it is.
[[nodiscard]] std::string with_time(std::string_view path, std::int64_t wall_ns);
[[nodiscard]] bool has_time(std::string_view path);
// "trace.00002.pcapng".
[[nodiscard]] std::string with_number(const std::string& path, std::uint32_t number);
// The number in the file's name (without its directory), if that is one that with_time() and with_number() make of this
// path; 1 where it has none.
[[nodiscard]] std::optional<std::uint32_t> number_of(std::string_view name, std::string_view path);

struct RecordedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds age{};  // since it was last written
  std::uint32_t number = 1;        // in its name: of two that were written at the same time, the higher is newer
  bool open = false;               // it is being written
};
struct Limits {
  std::uint64_t total_bytes = 0;       // 0: any
  std::chrono::nanoseconds longest{};  // 0: any
};
// Which are too old, and which of the others, the oldest first, are more than the limit. What is open counts and stays.
[[nodiscard]] std::vector<std::string> too_many(std::vector<RecordedFile> files, const Limits& limits);

// The files of the recording that are there, with the system's clock. fd: of the one that is being written, or -1.
[[nodiscard]] std::vector<RecordedFile> files_of_recording(const std::string& path, int fd);
// It is what fd is open on, whatever it is called there: a path can be written in many ways.
[[nodiscard]] bool is_open_as(const std::string& path, int fd);

}  // namespace tcpwitness

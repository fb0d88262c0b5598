// SPDX-License-Identifier: Apache-2.0
// words.hpp: numbers and names as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tcpwitness {

[[nodiscard]] std::string counted(std::uint64_t number, std::string_view what);  // "1 segment", "3 segments"
// "1 byte", "999 bytes", "1.5 KiB". (Columns of tables have a shorter form: sink/format.hpp.)
[[nodiscard]] std::string bytes_in_words(std::uint64_t bytes);
// "curl[42]": a process, in sentences as in columns.
[[nodiscard]] std::string process_name(std::string_view comm, std::uint32_t pid);
// "ETIMEDOUT"; "errno 4711" where libc has no name.
[[nodiscard]] std::string errno_name(int error);

}  // namespace tcpwitness

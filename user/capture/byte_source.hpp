// SPDX-License-Identifier: Apache-2.0
// byte_source.hpp: where the bytes of a capture come from: a file or standard input (unpacked where it is gzip or
// zstd), or memory.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "capture/byte_window.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

struct OpenedSource {
  std::unique_ptr<ByteSource> source;
  std::string packing;      // "", "gzip", "zstd"
  bool regular = false;     // an ordinary file
  bool written = false;     // likewise, and a process holds it locked, as `record` does what it writes
  std::uint64_t total = 0;  // its size; 0: not known
};

// path "-": standard input. wait: see CaptureFile::Wait.
Result<OpenedSource> open_source(const std::string& path, std::function<bool(int fd)> wait = {});
// The bytes stay the caller's and must outlive the source.
Result<OpenedSource> open_source(std::span<const std::byte> bytes);

}  // namespace tcpwitness

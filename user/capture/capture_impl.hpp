// SPDX-License-Identifier: Apache-2.0
// capture_impl.hpp: what the readers of the formats share: the window, what is known of the file, and how damage is
// reported.
//
// A reader's next() either fills a block or ends the file: cleanly, or by damaged() at a byte.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "capture/byte_source.hpp"
#include "capture/capture_file.hpp"

namespace tcpwitness {

// No capture program takes more of a packet (MAXIMUM_SNAPLEN of libpcap): a larger length is damage.
inline constexpr std::uint32_t max_captured = 256 * 1024;

class CaptureReader {
 public:
  CaptureReader() = default;
  virtual ~CaptureReader() = default;
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;
  virtual bool next(CaptureBlock& block) = 0;
};

struct CaptureFile::Impl {
  Impl(OpenedSource opened, std::string file_name)
      : window(std::move(opened.source), opened.packing.empty() ? opened.total : 0),
        name(std::move(file_name)),
        packing(std::move(opened.packing)),
        total(opened.total),
        regular(opened.regular),
        written(opened.written) {}

  ByteWindow window;
  std::unique_ptr<CaptureReader> reader;
  std::string name;
  std::string packing;
  std::string format;
  std::string application;
  std::uint64_t total = 0;
  std::uint64_t frames = 0;
  std::uint64_t dropped = 0;          // packets, by the file's own count
  std::uint64_t odd_times = 0;        // timestamps with a fraction of a second or more
  std::uint32_t head = max_captured;  // what is looked at of a packet, bytes
  std::vector<CaptureInterface> interfaces;
  std::optional<Error> damage;
  bool regular = false;
  bool written = false;

  // What is given of a packet of which `captured` bytes are in the file, and which was `wire` bytes long.
  void give(CaptureBlock& block, const std::byte* at, std::uint32_t captured, std::uint32_t wire) const {
    block.bytes = {at, std::min(captured, head)};
    block.wire_len = captured <= head ? wire : std::max(wire, captured);
  }

  // Ends the file here; always false.
  bool damaged(std::string why);
  // The file ended `wanted` bytes too early for `what` that begins at byte `begin`; a failure of the source goes first.
  bool cut(std::string_view what, std::uint64_t begin, std::uint64_t wanted);
};

// Where the first bytes are not of the format: null. Where they are and the header is of no use: an Error.
Result<std::unique_ptr<CaptureReader>> open_pcap(CaptureFile::Impl& file);
Result<std::unique_ptr<CaptureReader>> open_pcapng(CaptureFile::Impl& file);

// Integers of the file, wherever they lie, in the byte order of the file.
[[nodiscard]] inline std::uint16_t load16(const std::byte* at, bool swapped) {
  std::uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped ? __builtin_bswap16(value) : value;
}
[[nodiscard]] inline std::uint32_t load32(const std::byte* at, bool swapped) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped ? __builtin_bswap32(value) : value;
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// capture_file.hpp: the blocks of a capture file, one after the other: pcap and pcapng, from a file or a pipe,
// gzip and zstd unpacked.
//
// Nothing in the file is used before it is checked: lengths are bounded by the format's own
// limits, and what does not fit ends the file at that byte. Blocks before the damage stay good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tcpwitness/event.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// An interface block; a pcap file has one, without a name.
struct CaptureInterface {
  std::string name;
  std::uint16_t link_type = 0;  // LINKTYPE_*, tcpdump.org/linktypes.html
  std::uint32_t snaplen = 0;    // 0: no limit
};

struct CaptureBlock {
  enum class Kind : std::uint8_t {
    frame,    // a packet
    journal,  // systemd journal export (pcapng type 9): bytes is the entry's text
    local,    // block types with the highest bit set: whatever program wrote them; bytes is the body
  };
  Kind kind = Kind::frame;
  std::uint32_t type = 0;              // pcapng block type; 0 in a pcap file
  std::uint64_t offset = 0;            // of the block in the (unpacked) file
  std::uint64_t number = 0;            // frame: from 1
  TimeNs ts_ns = 0;                    // frame
  std::uint32_t interface = 0;         // frame: index in interfaces()
  std::uint16_t link_type = 0;         // frame: of that interface
  std::uint32_t wire_len = 0;          // frame: bytes on the wire
  std::span<const std::byte> bytes;    // frame: as captured, or its head; else see kind. Valid until the next block
  std::span<const std::byte> options;  // pcapng: the raw options behind the packet data
  bool swapped = false;                // the section's byte order is not this machine's
};

class CaptureFile {
 public:
  // path "-": standard input. Fails where there is no such file or it is not a capture.
  // wait: called with the descriptor before every read(2) of what is no ordinary file (a pipe, a socket). False ends
  // the file there.
  using Wait = std::function<bool(int fd)>;
  static Result<std::unique_ptr<CaptureFile>> open(const std::string& path, Wait wait = {});
  // A capture in memory, which must outlive it.
  static Result<std::unique_ptr<CaptureFile>> open(std::span<const std::byte> bytes);
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  // Of each packet nobody looks at more than the first `bytes`: the rest is not given, nor even read where it is long
  // and the file can do without.
  void set_snaplen(std::uint32_t bytes);

  // The next block of interest (others are passed over); false at the end and at damage.
  bool next(CaptureBlock& block);
  // Where and why the file could not be read further. The text has the byte.
  [[nodiscard]] const std::optional<Error>& damage() const;

  [[nodiscard]] const std::vector<CaptureInterface>& interfaces() const;  // known so far
  [[nodiscard]] const std::string& application() const;                   // pcapng: shb_userappl of this section
  [[nodiscard]] std::string format() const;                               // "pcapng", "pcap, nanoseconds", ...
  // Packets that were dropped while the capture was made, as far as it counts them (pcapng) and was read.
  [[nodiscard]] std::uint64_t dropped() const;
  // Timestamps so far whose fraction of a second is one or more: what their writer meant is a guess.
  [[nodiscard]] std::uint64_t odd_times() const;
  [[nodiscard]] bool regular() const;  // an ordinary file: its size is known
  [[nodiscard]] bool written() const;  // and a process held it locked when it was opened, as `record` does

  // For a progress bar: bytes of the file (packed, if it is) that were read, and all of them (0: not known).
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::uint64_t bytes_total() const;

  struct Impl;

 private:
  explicit CaptureFile(std::unique_ptr<Impl> impl);
  static Result<std::unique_ptr<CaptureFile>> recognise(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness

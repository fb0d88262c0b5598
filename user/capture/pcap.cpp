// SPDX-License-Identifier: Apache-2.0
// pcap.cpp: the classic format: one header, then packets. Micro- or nanoseconds, either byte order, and the variant
// with eight more bytes a packet (Kuznetzov's patched libpcap).
#include <fmt/format.h>

#include <utility>

#include "capture/capture_impl.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t file_header = 24;
constexpr TimeNs second_ns = 1'000'000'000;
constexpr std::uint32_t magic_micro = 0xa1b2c3d4;
constexpr std::uint32_t magic_nano = 0xa1b23c4d;
constexpr std::uint32_t magic_patched = 0xa1b2cd34;

class PcapReader final : public CaptureReader {
 public:
  PcapReader(CaptureFile::Impl& file, std::uint32_t magic, bool swapped, std::uint16_t minor)
      : file_(file),
        record_header_(magic == magic_patched ? 24 : 16),
        fraction_ns_(magic == magic_nano ? 1 : 1000),
        link_type_(file.interfaces[0].link_type),
        swapped_(swapped),
        lengths_exchanged_(minor < 3),
        lengths_may_be_exchanged_(minor == 3) {}

  bool next(CaptureBlock& block) override {
    ByteWindow& window = file_.window;
    const std::byte* header = window.need(record_header_);
    if (header == nullptr) return end();
    std::uint32_t captured = load32(header + 8, swapped_);
    std::uint32_t wire = load32(header + 12, swapped_);
    if (lengths_exchanged_ || (lengths_may_be_exchanged_ && captured > wire)) [[unlikely]]
      std::swap(captured, wire);
    const std::uint64_t offset = window.offset();
    if (captured > max_captured) [[unlikely]]
      return file_.damaged(
          fmt::format("the packet at byte {} claims {} captured bytes, more than any packet has", offset, captured));
    header = window.take(record_header_ + captured, record_header_ + std::min(captured, file_.head));
    if (header == nullptr) [[unlikely]]
      return file_.cut("the packet", offset, record_header_ + captured);
    block.kind = CaptureBlock::Kind::frame;
    block.type = 0;
    block.offset = offset;
    block.number = ++file_.frames;
    block.ts_ns = TimeNs{load32(header, swapped_)} * second_ns + fraction(load32(header + 4, swapped_));
    block.interface = 0;
    block.link_type = link_type_;
    file_.give(block, header + record_header_, captured, wire);
    block.options = {};
    block.swapped = swapped_;
    return true;
  }

 private:
  // Some programs put nanoseconds into a file of microseconds; tcpdump prints them as such, too. What is no fraction of
  // a second even so is the end of that second.
  TimeNs fraction(std::uint32_t value) {
    const TimeNs ns = TimeNs{value} * fraction_ns_;
    if (ns < second_ns) [[likely]]
      return ns;
    ++file_.odd_times;
    return std::min<TimeNs>(value, second_ns - 1);
  }

  bool end() {
    ByteWindow& window = file_.window;
    if (window.available() == 0 && !window.source().failure()) return false;
    return file_.cut("the packet header", window.offset(), record_header_);
  }

  CaptureFile::Impl& file_;
  std::size_t record_header_;
  TimeNs fraction_ns_;
  std::uint16_t link_type_;
  bool swapped_;
  // Until version 2.3 some programs wrote the two lengths the other way round.
  bool lengths_exchanged_;
  bool lengths_may_be_exchanged_;
};

}  // namespace

Result<std::unique_ptr<CaptureReader>> open_pcap(CaptureFile::Impl& file) {
  const std::byte* at = file.window.need(4);
  if (at == nullptr) return nullptr;
  std::uint32_t magic = load32(at, false);
  bool swapped = false;
  for (const std::uint32_t known : {magic_micro, magic_nano, magic_patched})
    if (magic == __builtin_bswap32(known)) {
      magic = known;
      swapped = true;
    }
  if (magic != magic_micro && magic != magic_nano && magic != magic_patched) return nullptr;
  at = file.window.need(file_header);
  if (at == nullptr)
    return failure("read " + file.name, fmt::format("the pcap header is cut: {} of {} bytes are there",
                                                    file.window.available(), file_header));
  const std::uint16_t major = load16(at + 4, swapped);
  const std::uint16_t minor = load16(at + 6, swapped);
  if (major != 2)
    return failure("read " + file.name,
                   fmt::format("it is pcap of version {}.{}; only version 2 is known", major, minor));
  CaptureInterface interface;
  interface.snaplen = load32(at + 16, swapped);
  interface.link_type = static_cast<std::uint16_t>(load32(at + 20, swapped));  // above it: the length of the FCS
  file.interfaces.push_back(std::move(interface));
  file.format = magic == magic_nano ? "pcap, nanoseconds" : "pcap";
  file.window.skip(file_header);
  return std::make_unique<PcapReader>(file, magic, swapped, minor);
}

}  // namespace tcpwitness

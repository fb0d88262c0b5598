// SPDX-License-Identifier: Apache-2.0
// pcapng.cpp: blocks in sections. A section brings its byte order and its own interfaces; packets name theirs.
//
// Interfaces are numbered through the whole file. Blocks that carry neither packets nor records are passed over.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "capture/capture_impl.hpp"
#include "capture/timestamp.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t section_header = 0x0a0d0d0a;  // the same in either byte order
constexpr std::uint32_t interface_description = 1;
constexpr std::uint32_t obsolete_packet = 2;
constexpr std::uint32_t simple_packet = 3;
constexpr std::uint32_t interface_statistics = 5;
constexpr std::uint32_t enhanced_packet = 6;
constexpr std::uint32_t journal_export = 9;
constexpr std::uint32_t local_use = 0x80000000;

constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;

// The largest packet with a lot of options fits many times; libpcap has the same limit.
constexpr std::uint32_t max_block = 16U * 1024 * 1024;
// A limit on what a file can make us remember; more than any machine has.
constexpr std::size_t max_interfaces = 65'536;

constexpr std::uint16_t option_end = 0;
constexpr std::uint16_t option_interface_name = 2;
constexpr std::uint16_t option_application = 4;
constexpr std::uint16_t option_resolution = 9;
constexpr std::uint16_t option_offset = 14;
// Packets that the interface and the operating system had to drop since the capture began; of a packet block: since
// the packet before it.
constexpr std::uint16_t option_interface_drops = 5;
constexpr std::uint16_t option_system_drops = 7;
constexpr std::uint16_t option_drops_before = 4;

struct Interface {
  Timescale scale;
  std::uint32_t snaplen = 0;
  std::uint16_t link_type = 0;
  std::uint64_t drops = 0;          // by its statistics
  std::uint64_t drops_between = 0;  // by its packets: mostly the same ones
};

[[nodiscard]] constexpr std::uint32_t padded(std::uint32_t length) { return (length + 3U) & ~3U; }

class PcapngReader final : public CaptureReader {
 public:
  explicit PcapngReader(CaptureFile::Impl& file) : file_(file) {}

  bool next(CaptureBlock& block) override {
    Parsed parsed = Parsed::nothing;
    while (parsed == Parsed::nothing) parsed = read(block);
    return parsed == Parsed::block;
  }

  // The file begins with a section; what it has is known before the first packet.
  bool first_section() {
    CaptureBlock block;
    return read(block) == Parsed::nothing;
  }

 private:
  enum class Parsed { nothing, block, end };

  Parsed read(CaptureBlock& block) {
    const std::byte* at = file_.window.need(12);
    if (at == nullptr) return end();
    const std::uint64_t offset = file_.window.offset();
    const std::uint32_t type = load32(at, swapped_);
    if (type == section_header && !byte_order(at, offset)) [[unlikely]]
      return Parsed::end;
    const std::uint32_t length = load32(at + 4, swapped_);
    if (length < 12 || length > max_block || length % 4 != 0) [[unlikely]]
      return damage(fmt::format("the block at byte {} claims a length of {} bytes", offset, length));
    block.type = type;
    block.offset = offset;
    block.swapped = swapped_;
    if (type == enhanced_packet && length > file_.window.available() && length > long_packet()) [[unlikely]]
      if (const auto parsed = read_long(length, block)) return *parsed;
    at = file_.window.need(length);
    if (at == nullptr) [[unlikely]] {
      file_.cut("the block", offset, length);
      return Parsed::end;
    }
    file_.window.skip(length);
    if (!closes(at + length - 4, length, block)) [[unlikely]]
      return Parsed::end;
    return take({at + 8, length - 12}, block);
  }

  // The length stands at the end of a block again.
  bool closes(const std::byte* at, std::uint32_t length, const CaptureBlock& block) {
    const std::uint32_t again = load32(at, swapped_);
    return again == length ||
           file_.damaged(fmt::format("the block at byte {} is {} bytes long at its beginning and {} at its end",
                                     block.offset, length, again));
  }

  // A packet block that is not in the window, longer than its head: what lies between that and the options is passed
  // over. Nothing where it contradicts itself: it is then looked at as a whole.
  std::optional<Parsed> read_long(std::uint32_t length, CaptureBlock& block) {
    const auto cut = [&] {
      file_.cut("the block", block.offset, length);
      return Parsed::end;
    };
    const std::byte* at = file_.window.need(long_packet());
    if (at == nullptr) return cut();
    const Packet packet = enhanced(at + behind_type_and_length);
    const std::uint64_t options = enhanced_header + std::uint64_t{padded(packet.captured)};
    if (packet.captured > max_captured || options + 12 > length) return std::nullopt;
    const std::uint32_t begin = behind_type_and_length + static_cast<std::uint32_t>(options);
    // The window gives up what it showed when it goes on.
    head_.assign(at, at + long_packet());
    if (file_.window.take(begin, std::min(begin, long_packet())) == nullptr) return cut();
    at = file_.window.take(length - begin, length - begin);
    if (at == nullptr) return cut();
    if (!closes(at + (length - begin) - 4, length, block)) return Parsed::end;
    return give(packet, head_.data() + behind_type_and_length + enhanced_header, {at, length - begin - 4}, block);
  }
  static constexpr std::uint32_t behind_type_and_length = 8;
  [[nodiscard]] std::uint32_t long_packet() const { return behind_type_and_length + enhanced_header + file_.head; }

  Parsed take(std::span<const std::byte> body, CaptureBlock& block) {
    switch (block.type) {
      case enhanced_packet:
        return take_enhanced(body, block);
      case simple_packet:
        return take_simple(body, block);
      case obsolete_packet:
        return take_packet(body, block);
      case interface_description:
        return take_interface(body, block);
      case interface_statistics:
        return take_statistics(body);
      case section_header:
        return take_section(body, block);
      case journal_export:
        return take_journal(body, block);
      default:
        if (block.type < local_use) return Parsed::nothing;
        block.kind = CaptureBlock::Kind::local;
        block.bytes = body;
        block.options = {};
        return Parsed::block;
    }
  }

  Parsed damage(std::string why) {
    file_.damaged(std::move(why));
    return Parsed::end;
  }
  Parsed damage(const CaptureBlock& block, std::string_view what) {
    return damage(fmt::format("the block at byte {} {}", block.offset, what));
  }

  struct Packet {
    std::uint32_t interface = 0;
    std::uint64_t ts = 0;
    std::uint32_t captured = 0;
    std::uint32_t wire = 0;
  };
  static constexpr std::uint32_t enhanced_header = 20;

  [[nodiscard]] Packet enhanced(const std::byte* at) const {
    return {.interface = load32(at, swapped_),
            .ts = (std::uint64_t{load32(at + 4, swapped_)} << 32U) | load32(at + 8, swapped_),
            .captured = load32(at + 12, swapped_),
            .wire = load32(at + 16, swapped_)};
  }

  Parsed take_enhanced(std::span<const std::byte> body, CaptureBlock& block) {
    if (body.size() < enhanced_header) [[unlikely]]
      return damage(block, "is too short for a packet block");
    return take_frame(body, enhanced_header, enhanced(body.data()), block);
  }

  Parsed take_packet(std::span<const std::byte> body, CaptureBlock& block) {
    if (body.size() < enhanced_header) return damage(block, "is too short for a packet block");
    Packet packet = enhanced(body.data());
    packet.interface = load16(body.data(), swapped_);
    const Parsed parsed = take_frame(body, enhanced_header, packet, block);
    constexpr std::uint16_t not_known = 0xffff;
    const std::uint16_t drops = load16(body.data() + 2, swapped_);  // since the packet before
    if (parsed == Parsed::block && drops != not_known) {
      Interface& of = interfaces_[packet.interface];
      note_drops(of, of.drops, of.drops_between + drops);
    }
    return parsed;
  }

  // It has neither a time nor an interface of its own.
  Parsed take_simple(std::span<const std::byte> body, CaptureBlock& block) {
    if (body.size() < 4) return damage(block, "is too short for a packet block");
    if (interfaces_.empty()) return damage(block, "is a packet of interface 0, which was not described");
    const std::uint32_t wire = load32(body.data(), swapped_);
    const std::uint32_t captured = interfaces_[0].snaplen != 0 ? std::min(wire, interfaces_[0].snaplen) : wire;
    const Parsed parsed = take_frame(body, 4, {.captured = captured, .wire = wire}, block);
    block.options = {};
    block.ts_ns = 0;
    return parsed;
  }

  Parsed take_frame(std::span<const std::byte> body, std::uint32_t header, const Packet& packet, CaptureBlock& block) {
    if (packet.captured > max_captured || padded(packet.captured) > body.size() - header) [[unlikely]]
      return damage(block,
                    fmt::format("claims {} captured bytes, and is {} bytes long", packet.captured, body.size() + 12));
    return give(packet, body.data() + header, body.subspan(header + padded(packet.captured)), block);
  }

  Parsed give(const Packet& packet, const std::byte* at, std::span<const std::byte> options, CaptureBlock& block) {
    if (packet.interface >= interfaces_.size()) [[unlikely]]
      return damage(block, fmt::format("is a packet of interface {}, which was not described", packet.interface));
    const Interface& of = interfaces_[packet.interface];
    block.kind = CaptureBlock::Kind::frame;
    block.number = ++file_.frames;
    block.ts_ns = of.scale.nanoseconds(packet.ts);
    block.interface = first_interface_ + packet.interface;
    block.link_type = of.link_type;
    file_.give(block, at, packet.captured, packet.wire);
    block.options = options;
    if (!options.empty()) note_drops_before(interfaces_[packet.interface], options);
    return Parsed::block;
  }

  static Parsed take_journal(std::span<const std::byte> body, CaptureBlock& block) {
    // The entry is padded with zeros; its own length is not reported.
    for (int i = 0; i < 3 && !body.empty() && body.back() == std::byte{0}; i++) body = body.first(body.size() - 1);
    block.kind = CaptureBlock::Kind::journal;
    block.bytes = body;
    block.options = {};
    return Parsed::block;
  }

  // Calls use(code, value) for each option up to the end or to what is no option any more.
  template <typename Use>
  void options(std::span<const std::byte> bytes, Use use) const {
    while (bytes.size() >= 4) {
      const std::uint16_t code = load16(bytes.data(), swapped_);
      const std::uint16_t length = load16(bytes.data() + 2, swapped_);
      bytes = bytes.subspan(4);
      if (code == option_end || length > bytes.size()) return;
      use(code, bytes.first(length));
      bytes = bytes.subspan(std::min<std::size_t>(padded(length), bytes.size()));
    }
  }

  static std::string text(std::span<const std::byte> value) {
    std::string text(reinterpret_cast<const char*>(value.data()), value.size());
    text.resize(std::min(text.size(), text.find('\0')));  // some writers count a closing zero
    return text;
  }

  Parsed take_interface(std::span<const std::byte> body, CaptureBlock& block) {
    if (body.size() < 8) return damage(block, "is too short for an interface");
    if (file_.interfaces.size() >= max_interfaces)
      return damage(block, fmt::format("describes more than {} interfaces", max_interfaces));
    CaptureInterface shown;
    shown.link_type = load16(body.data(), swapped_);
    shown.snaplen = load32(body.data() + 4, swapped_);
    std::uint8_t resolution = 6;
    std::int64_t offset_s = 0;
    options(body.subspan(8), [&](std::uint16_t code, std::span<const std::byte> value) {
      if (code == option_interface_name) shown.name = text(value);
      if (code == option_resolution && !value.empty()) resolution = static_cast<std::uint8_t>(value[0]);
      if (code == option_offset) offset_s = static_cast<std::int64_t>(number(value));
    });
    interfaces_.push_back(
        {.scale = Timescale(resolution, offset_s), .snaplen = shown.snaplen, .link_type = shown.link_type});
    file_.interfaces.push_back(std::move(shown));
    return Parsed::nothing;
  }

  [[nodiscard]] std::uint64_t number(std::span<const std::byte> value) const {
    std::uint64_t number = 0;
    if (value.size() < sizeof number) return 0;
    std::memcpy(&number, value.data(), sizeof number);
    return swapped_ ? __builtin_bswap64(number) : number;
  }

  // Both may be reported of the same packets: the larger one counts.
  void note_drops(Interface& of, std::uint64_t drops, std::uint64_t between) {
    file_.dropped -= std::max(of.drops, of.drops_between);
    of.drops = drops;
    of.drops_between = between;
    file_.dropped += std::max(of.drops, of.drops_between);
  }

  void note_drops_before(Interface& of, std::span<const std::byte> packet_options) {
    options(packet_options, [&](std::uint16_t code, std::span<const std::byte> value) {
      if (code == option_drops_before) note_drops(of, of.drops, of.drops_between + number(value));
    });
  }

  // No packet depends on it: what cannot be right in it is passed over.
  Parsed take_statistics(std::span<const std::byte> body) {
    if (body.size() < 12) return Parsed::nothing;
    const std::uint32_t interface = load32(body.data(), swapped_);
    if (interface >= interfaces_.size()) return Parsed::nothing;
    std::uint64_t drops = 0;
    options(body.subspan(12), [&](std::uint16_t code, std::span<const std::byte> value) {
      if (code == option_interface_drops || code == option_system_drops) drops += number(value);
    });
    Interface& of = interfaces_[interface];
    note_drops(of, std::max(of.drops, drops), of.drops_between);
    return Parsed::nothing;
  }

  bool byte_order(const std::byte* at, std::uint64_t offset) {
    const std::uint32_t magic = load32(at + 8, false);
    if (magic != byte_order_magic && magic != __builtin_bswap32(byte_order_magic))
      return file_.damaged(fmt::format("the section at byte {} has no byte-order magic but {:#010x}", offset, magic));
    swapped_ = magic != byte_order_magic;
    return true;
  }

  Parsed take_section(std::span<const std::byte> body, CaptureBlock& block) {
    if (body.size() < 16) return damage(block, "is too short for a section header");
    if (const std::uint16_t major = load16(body.data() + 4, swapped_); major != 1)
      return damage(block, fmt::format("is of pcapng version {}; only version 1 is known", major));
    interfaces_.clear();
    first_interface_ = static_cast<std::uint32_t>(file_.interfaces.size());
    file_.application.clear();
    options(body.subspan(16), [&](std::uint16_t code, std::span<const std::byte> value) {
      if (code == option_application) file_.application = text(value);
    });
    return Parsed::nothing;
  }

  Parsed end() {
    const ByteWindow& window = file_.window;
    if (window.available() != 0 || window.source().failure()) file_.cut("the block header", window.offset(), 12);
    return Parsed::end;
  }

  CaptureFile::Impl& file_;
  std::vector<Interface> interfaces_;  // of this section
  std::vector<std::byte> head_;        // of a long packet
  std::uint32_t first_interface_ = 0;  // its first one's number in the file
  bool swapped_ = false;
};

}  // namespace

Result<std::unique_ptr<CaptureReader>> open_pcapng(CaptureFile::Impl& file) {
  const std::byte* at = file.window.need(4);
  if (at == nullptr || load32(at, false) != section_header) return nullptr;
  file.format = "pcapng";
  auto reader = std::make_unique<PcapngReader>(file);
  if (!reader->first_section()) return failure("read " + file.name, file.damage->why);
  return reader;
}

}  // namespace tcpwitness

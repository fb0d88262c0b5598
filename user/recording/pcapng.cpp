// SPDX-License-Identifier: Apache-2.0
#include "recording/pcapng.hpp"

#include <algorithm>
#include <cstring>

namespace tcpwitness::pcapng {
namespace {

constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::uint16_t end_of_options = 0;
constexpr std::uint16_t application_option = 4;  // shb_userappl
constexpr std::uint16_t os_option = 3;           // shb_os
constexpr std::uint16_t name_option = 2;         // if_name
constexpr std::uint16_t resolution_option = 9;   // if_tsresol
constexpr std::uint8_t nanoseconds = 9;          // 10^-9 s
constexpr std::uint16_t flags_option = 2;        // epb_flags
constexpr std::uint32_t inbound = 1, outbound = 2;
constexpr std::size_t longest_option = 0xffff;
constexpr std::size_t head_bytes = 8;  // type, total length
constexpr std::size_t end_bytes = 8;   // end of options, total length

void put_bytes(Blocks& out, std::span<const std::byte> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

template <typename T>
void put(Blocks& out, T value) {
  put_bytes(out, std::as_bytes(std::span(&value, 1)));
}

void pad(Blocks& out, std::size_t length) { out.resize(out.size() + (4U - (length & 3U)) % 4U); }

void put_option(Blocks& out, std::uint16_t code, std::span<const std::byte> value) {
  const std::size_t length = std::min(value.size(), longest_option);
  put(out, code);
  put(out, static_cast<std::uint16_t>(length));
  put_bytes(out, value.first(length));
  pad(out, length);
}

void put_option(Blocks& out, std::uint16_t code, std::string_view text) {
  put_option(out, code, std::as_bytes(std::span(text)));
}

template <typename T>
void put_number_option(Blocks& out, std::uint16_t code, T number) {
  put_option(out, code, std::as_bytes(std::span(&number, 1)));
}

void put_end_of_options(Blocks& out) {
  put(out, end_of_options);
  put(out, std::uint16_t{0});
}

std::size_t begin_block(Blocks& out, std::uint32_t type) {
  const std::size_t start = out.size();
  put(out, type);
  put(out, std::uint32_t{0});  // see end_block
  return start;
}

void end_block(Blocks& out, std::size_t start) {
  const auto total = static_cast<std::uint32_t>(out.size() - start + sizeof(std::uint32_t));
  put(out, total);
  std::memcpy(out.data() + start + 4, &total, sizeof total);
}

}  // namespace

void append_section(Blocks& out, std::string_view application, std::string_view os) {
  const std::size_t start = begin_block(out, section_block);
  put(out, byte_order_magic);
  put(out, std::uint16_t{1});
  put(out, std::uint16_t{0});
  put(out, std::int64_t{-1});  // length not known
  put_option(out, os_option, os);
  put_option(out, application_option, application);
  put_end_of_options(out);
  end_block(out, start);
}

void append_interface(Blocks& out, std::uint16_t link_type, std::uint32_t snaplen, std::string_view name) {
  const std::size_t start = begin_block(out, interface_block);
  put(out, link_type);
  put(out, std::uint16_t{0});
  put(out, snaplen);
  put_option(out, name_option, name);
  put_number_option(out, resolution_option, nanoseconds);
  put_end_of_options(out);
  end_block(out, start);
}

void append_packet(Blocks& out, const Packet& packet) {
  const std::size_t start = begin_block(out, packet_block);
  const auto ts = static_cast<std::uint64_t>(std::max<TimeNs>(packet.ts_ns, 0));
  put(out, packet.interface);
  put(out, static_cast<std::uint32_t>(ts >> 32U));
  put(out, static_cast<std::uint32_t>(ts));
  put(out, static_cast<std::uint32_t>(packet.bytes.size()));
  put(out, packet.wire_len);
  put_bytes(out, packet.bytes);
  pad(out, packet.bytes.size());
  put_number_option(out, flags_option, packet.outgoing ? outbound : inbound);
  put_number_option(out, packet_id_option, packet.id);
  if (!packet.local.empty()) put_option(out, packet.local_option, packet.local);
  put_end_of_options(out);
  end_block(out, start);
}

void append_block(Blocks& out, std::uint32_t type, std::span<const std::byte> body) {
  const std::size_t start = begin_block(out, type);
  put_bytes(out, body);
  pad(out, body.size());
  end_block(out, start);
}

void set_interface(std::span<std::byte> packet, std::uint32_t interface) {
  std::memcpy(packet.data() + head_bytes, &interface, sizeof interface);
}

void append_commented(Blocks& out, std::span<const std::byte> packet, std::string_view comment) {
  const std::size_t start = out.size();
  put_bytes(out, packet.first(packet.size() - end_bytes));
  put_option(out, comment_option, comment);
  put_end_of_options(out);
  end_block(out, start);
}

std::size_t for_each_block(std::span<const std::byte> blocks,
                           const std::function<void(std::uint32_t, std::span<const std::byte>)>& take) {
  std::size_t at = 0;
  while (blocks.size() - at >= 12) {
    std::uint32_t head[2];
    std::memcpy(head, blocks.data() + at, sizeof head);
    if (head[1] < 12 || head[1] > blocks.size() - at) break;
    take(head[0], blocks.subspan(at, head[1]));
    at += head[1];
  }
  return at;
}

}  // namespace tcpwitness::pcapng

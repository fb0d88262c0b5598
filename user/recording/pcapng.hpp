// SPDX-License-Identifier: Apache-2.0
// pcapng.hpp: pcapng blocks, appended to a buffer as bytes: draft-ietf-opsawg-pcapng, this machine's byte order.
//
// Every block is whole when its function returns; a file is such blocks one after the other. Lengths come
// from us alone: no field is longer than 65,535 bytes, longer text is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tcpwitness/wire.hpp"

namespace tcpwitness::pcapng {

using Blocks = std::vector<std::byte>;

inline constexpr std::uint32_t section_block = 0x0a0d0d0a;
inline constexpr std::uint32_t interface_block = 1;
inline constexpr std::uint32_t packet_block = 6;
inline constexpr std::uint32_t journal_block = 9;  // systemd journal export

inline constexpr std::uint16_t comment_option = 1;
inline constexpr std::uint16_t packet_id_option = 5;

struct Packet {
  std::uint32_t interface = 0;  // by its order in the section
  TimeNs ts_ns = 0;
  std::uint32_t wire_len = 0;
  std::span<const std::byte> bytes;
  bool outgoing = false;
  std::uint64_t id = 0;                // epb_packetid
  std::uint16_t local_option = 0;      // with the highest bit set: for local use
  std::span<const std::byte> local{};  // its value
};

void append_section(Blocks& out, std::string_view application, std::string_view os);
// Times in nanoseconds.
void append_interface(Blocks& out, std::uint16_t link_type, std::uint32_t snaplen, std::string_view name);
void append_packet(Blocks& out, const Packet& packet);
// Journal entries and blocks for local use have no fields of their own.
void append_block(Blocks& out, std::uint32_t type, std::span<const std::byte> body);
// One packet block gets another interface.
void set_interface(std::span<std::byte> packet, std::uint32_t interface);
// One packet block, with a comment more than it had.
void append_commented(Blocks& out, std::span<const std::byte> packet, std::string_view comment);

// Every whole block: type and bytes. Returns how many bytes they are; what is behind has been cut off.
std::size_t for_each_block(std::span<const std::byte> blocks,
                           const std::function<void(std::uint32_t, std::span<const std::byte>)>& take);

}  // namespace tcpwitness::pcapng

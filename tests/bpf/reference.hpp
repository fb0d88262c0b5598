// SPDX-License-Identifier: Apache-2.0
// reference.hpp: a frame's meaning, read a second time by other code.
//
// A plain parser in C++, written from the RFCs and event_abi.h and sharing nothing with bpf/parse.h. The
// truncation and mutation tests hold the BPF programs to it: a record exactly where it sees a TCP
// header, with exactly its fields.
#pragma once

#include <optional>
#include <string>

#include "bpf/wire_program.hpp"

namespace tcpwitness::wire_test {

// The fields of a record that the frame alone decides.
struct Reading {
  tw_tuple tuple{};
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t len = 0;
  std::uint32_t ts_val = 0;
  std::uint32_t ts_ecr = 0;
  std::uint16_t window = 0;
  std::uint16_t mss = 0;
  std::uint16_t vlan_id = 0;
  std::uint8_t flags = 0;
  std::uint8_t ttl = 0;
  std::uint8_t options = 0;
  std::uint8_t wscale = 0;
  bool fragment = false;
  bool bad_header = false;
};

std::optional<Reading> read_frame(const Bytes& frame, bool raw_ip, bool outgoing);

// The first difference between a record and the reading, in words; empty when they agree.
std::string difference(const tw_segment& record, const Reading& reading);

}  // namespace tcpwitness::wire_test

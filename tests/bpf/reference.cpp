// SPDX-License-Identifier: Apache-2.0
// See reference.hpp. Every read goes through Reader, which has the number of bytes.
#include "bpf/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace tcpwitness::wire_test {
namespace {

// Bytes in network order, consumed from the front; a read beyond the end makes it fail for good.
class Reader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}

  std::uint32_t number(std::size_t size) {
    if (!has(size)) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; i++) value = value << 8U | bytes_[at_ + i];
    at_ += size;
    return value;
  }
  void copy(std::uint8_t* to, std::size_t size) {
    if (!has(size)) return;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), size, to);
    at_ += size;
  }
  void move_to(std::size_t at) { at_ = at; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t left() const { return at_ <= bytes_.size() ? bytes_.size() - at_ : 0; }
  bool has(std::size_t size) { return ok_ = ok_ && left() >= size; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  const Bytes& bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void read_options(Reader in, std::size_t size, Reading& out) {
  if (!in.has(size)) return;
  const std::size_t end = in.at() + size;
  while (in.at() < end) {
    const std::size_t start = in.at();
    const std::uint32_t kind = in.number(1);
    if (kind == 0) return;
    if (kind == 1) continue;
    if (in.at() >= end) return;
    const std::uint32_t length = in.number(1);
    if (length < 2 || start + length > end) return;
    const auto found = [&](tw_options option) { out.options = static_cast<std::uint8_t>(out.options | option); };
    if (kind == 2 && length == 4) out.mss = static_cast<std::uint16_t>(in.number(2));
    if (kind == 3 && length == 3) {
      out.wscale = static_cast<std::uint8_t>(in.number(1));
      found(TW_OPT_WSCALE);
    }
    if (kind == 4 && length == 2) found(TW_OPT_SACK_PERMITTED);
    if (kind == 5) found(TW_OPT_SACK);
    if (kind == 8 && length == 10) {
      out.ts_val = in.number(4);
      out.ts_ecr = in.number(4);
      found(TW_OPT_TIMESTAMP);
    }
    if (kind == 30) found(TW_OPT_MPTCP);
    if (kind == 34) found(TW_OPT_FASTOPEN);
    in.move_to(start + length);
  }
}

// `claimed`: what is left for TCP by the IP header; none where it has no length.
std::optional<Reading> read_tcp(Reader in, std::optional<std::size_t> claimed, bool outgoing, Reading out) {
  const std::size_t left = in.left();
  auto& source = outgoing ? out.tuple.local_port : out.tuple.remote_port;
  auto& target = outgoing ? out.tuple.remote_port : out.tuple.local_port;
  source = static_cast<std::uint16_t>(in.number(2));
  target = static_cast<std::uint16_t>(in.number(2));
  out.seq = in.number(4);
  out.ack = in.number(4);
  const std::size_t header = std::size_t{in.number(1)} / 16 * 4;
  out.flags = static_cast<std::uint8_t>(in.number(1));
  out.window = static_cast<std::uint16_t>(in.number(2));
  in.number(4);
  if (!in.ok()) return std::nullopt;
  const std::size_t total = claimed.value_or(left);
  out.bad_header = header < 20 || header > total || total > left;
  if (out.bad_header) return out;
  out.len = static_cast<std::uint32_t>(total - header);
  read_options(in, header - 20, out);
  return out;
}

std::optional<Reading> read_ipv4(Reader in, bool outgoing, Reading out) {
  const std::size_t start = in.at();
  const std::uint32_t first = in.number(1);
  in.number(1);
  const std::uint32_t total = in.number(2);
  in.number(2);
  const std::uint32_t fragment = in.number(2);
  out.ttl = static_cast<std::uint8_t>(in.number(1));
  const std::uint32_t protocol = in.number(1);
  in.number(2);
  const auto address = [&](std::uint8_t* to) {
    to[10] = to[11] = 0xff;
    in.copy(to + 12, 4);
  };
  address(outgoing ? out.tuple.local_addr : out.tuple.remote_addr);
  address(outgoing ? out.tuple.remote_addr : out.tuple.local_addr);
  const std::size_t header = std::size_t{first} % 16 * 4;
  if (!in.ok() || first / 16 != 4 || header < 20 || protocol != 6 || fragment % 0x2000 != 0) return std::nullopt;
  out.fragment = (fragment & 0x2000U) != 0;
  in.move_to(start + header);
  std::optional<std::size_t> claimed;
  if (total != 0) claimed = total > header ? total - header : 0;
  return read_tcp(in, claimed, outgoing, out);
}

std::optional<Reading> read_ipv6(Reader in, bool outgoing, Reading out) {
  const std::uint32_t first = in.number(4);
  const std::uint32_t content = in.number(2);
  std::uint32_t next = in.number(1);
  out.ttl = static_cast<std::uint8_t>(in.number(1));
  in.copy(outgoing ? out.tuple.local_addr : out.tuple.remote_addr, 16);
  in.copy(outgoing ? out.tuple.remote_addr : out.tuple.local_addr, 16);
  if (!in.ok() || first >> 28U != 6) return std::nullopt;
  const std::size_t start = in.at();
  for (int headers = 0; next != 6; headers++) {
    constexpr std::array known{0U, 43U, 44U, 51U, 60U, 135U};
    if (headers == 6 || std::ranges::find(known, next) == known.end()) return std::nullopt;
    const std::size_t at = in.at();
    const std::uint32_t type = next;
    next = in.number(1);
    const std::uint32_t length = in.number(1);
    const std::uint32_t fragment = in.number(2);
    in.number(4);
    if (!in.ok()) return std::nullopt;
    std::size_t bytes = (std::size_t{length} + 1) * 8;
    if (type == 51) bytes = (std::size_t{length} + 2) * 4;
    if (type == 44) {
      bytes = 8;
      if (fragment / 8 != 0) return std::nullopt;
      out.fragment = fragment % 2 == 1;
    }
    in.move_to(at + bytes);
  }
  if (in.at() > 4095) return std::nullopt;  // further than the programs follow
  std::optional<std::size_t> claimed;
  if (content != 0) claimed = content > in.at() - start ? content - (in.at() - start) : 0;
  return read_tcp(in, claimed, outgoing, out);
}

}  // namespace

std::optional<Reading> read_frame(const Bytes& frame, bool raw_ip, bool outgoing) {
  Reader in(frame);
  Reading out;
  if (raw_ip) {
    if (frame.empty()) return std::nullopt;
    return frame[0] / 16 == 4 ? read_ipv4(in, outgoing, out) : read_ipv6(in, outgoing, out);
  }
  // What comes in for another link address is none of ours.
  if (!outgoing && !std::ranges::equal(std::span(frame).first(std::min<std::size_t>(frame.size(), 6)), own_address))
    return std::nullopt;
  in.move_to(12);
  std::uint32_t type = in.number(2);
  for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++) {
    out.vlan_id = static_cast<std::uint16_t>(in.number(2) % 4096);
    type = in.number(2);
  }
  if (!in.ok()) return std::nullopt;
  if (type == 0x0800) return read_ipv4(in, outgoing, out);
  if (type == 0x86dd) return read_ipv6(in, outgoing, out);
  return std::nullopt;
}

std::string difference(const tw_segment& record, const Reading& reading) {
  const auto differ = [](const char* field, auto got, auto want) {
    return got == want ? std::string() : fmt::format("{} is {:#x}, the frame says {:#x}", field, got, want);
  };
  if (std::memcmp(&record.tuple, &reading.tuple, sizeof(reading.tuple)) != 0) return "another tuple";
  for (const auto& difference : {
           differ("seq", record.seq, reading.seq),
           differ("ack", record.ack, reading.ack),
           differ("len", record.len, reading.len),
           differ("ts_val", record.ts_val, reading.ts_val),
           differ("ts_ecr", record.ts_ecr, reading.ts_ecr),
           differ("window", record.window, reading.window),
           differ("mss", record.mss, reading.mss),
           differ("vlan_id", record.vlan_id, reading.vlan_id),
           differ("flags", record.flags, reading.flags),
           differ("ttl", record.ttl, reading.ttl),
           differ("options", record.options, reading.options),
           differ("wscale", record.wscale, reading.wscale),
           differ("why FRAGMENT", (record.event_flags & TW_EVENT_FRAGMENT) != 0, reading.fragment),
           differ("why BAD_HEADER", (record.event_flags & TW_EVENT_BAD_HEADER) != 0, reading.bad_header),
       }) {
    if (!difference.empty()) return difference;
  }
  return {};
}

}  // namespace tcpwitness::wire_test

// SPDX-License-Identifier: Apache-2.0
// wire.hpp: what the wire alone shows of a conversation, as values.
//
// A capture has no local side. A frame is described from nobody's view (TcpFrame); the conversation it belongs
// to gives it one: `local` is the side that connected, or that sent the first frame where no SYN was seen.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tcpwitness/address.hpp"
#include "tcpwitness/phases.hpp"

namespace tcpwitness {

// Nanoseconds of the run's clock: live, CLOCK_MONOTONIC plus an offset that is fixed at the start, so that it never
// steps; of a capture, the time since the epoch that its packets have.
using TimeNs = std::int64_t;

// Wireshark's words for one segment (tcp.analysis.*), bits of Analysis::flags. docs/wire-analysis.md gives each rule.
namespace analysis_flag {
inline constexpr std::uint32_t retransmission = 1U << 0;
inline constexpr std::uint32_t fast_retransmission = 1U << 1;      // with retransmission
inline constexpr std::uint32_t spurious_retransmission = 1U << 2;  // with retransmission
inline constexpr std::uint32_t out_of_order = 1U << 3;
inline constexpr std::uint32_t duplicate_ack = 1U << 4;
inline constexpr std::uint32_t lost_segment = 1U << 5;      // previous segment not captured
inline constexpr std::uint32_t ack_lost_segment = 1U << 6;  // ACKed unseen segment
inline constexpr std::uint32_t keep_alive = 1U << 7;
inline constexpr std::uint32_t keep_alive_ack = 1U << 8;
inline constexpr std::uint32_t zero_window = 1U << 9;
inline constexpr std::uint32_t zero_window_probe = 1U << 10;
inline constexpr std::uint32_t zero_window_probe_ack = 1U << 11;
inline constexpr std::uint32_t window_full = 1U << 12;
inline constexpr std::uint32_t window_update = 1U << 13;
inline constexpr std::uint32_t reused_ports = 1U << 14;
inline constexpr unsigned count = 15;
}  // namespace analysis_flag

// "fast retransmission", "previous segment not captured", ... for one bit's number; static storage.
[[nodiscard]] std::string_view analysis_word(unsigned bit);

// What the conversation so far shows of one segment; values of Wireshark's tcp.analysis.* where they have its names.
// Filled only where every segment is seen.
// A FIN beyond the window that this segment shows to have been taken.
enum class LateFin : std::uint8_t { none, of_sender, of_receiver };

struct Analysis {
  std::uint32_t flags = 0;             // analysis_flag
  std::uint32_t duplicate_ack = 0;     // its number, from 1
  std::uint64_t frame = 0;             // number of the frame in the capture, from 1; 0: not from a capture
  std::uint32_t conversation = 0;      // names its conversation until that ends, from 1; 0: not from a capture
  std::uint32_t again_in_silence = 0;  // this copy's number, while the other side sent nothing; RST: theirs
  bool refused = false;                // its receiver cannot have taken it: it changes nothing
  bool resumed = false;                // it proves that the RST before it was not taken
  bool restarted = false;              // it took the peer's second SYN-ACK, whose number is its acknowledgement - 1
  bool duplicate_frame = false;        // the capture has the same packet a moment before
  bool repeated = false;               // to Wireshark out of order, and the capture has all of its payload already
  std::uint32_t late_fin_end = 0;      // the number after it
  LateFin late_fin = LateFin::none;
  bool shows_window = false;   // payload into a closed window: it had been opened, and that is not in the capture
  bool denies_window = false;  // it had not: that payload was not taken, and the window is still closed
  bool covers_unseen = false;  // a FIN that acknowledges what is not in the capture before it
};

// What came, by a SACK option (RFC 2018), beyond the acknowledgement: left edge, right edge.
struct SackBlocks {
  std::uint8_t count = 0;
  std::array<std::array<std::uint32_t, 2>, 4> edges{};
};

// The ICMP error that quotes a segment (RFC 792, RFC 4443): type 0 is none.
struct IcmpQuote {
  Address sender;         // of the message
  std::uint32_t mtu = 0;  // the next hop's, where it is the reason; bytes
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  bool v6 = false;
  explicit operator bool() const { return type != 0; }
};

// One TCP segment of a capture, from nobody's view. Host byte order. Of one that an ICMP error quotes (`icmp`) the
// facts of the frame, source, destination and seq hold.
struct TcpFrame {
  std::uint64_t number = 0;  // of the frame in the capture, from 1
  TimeNs ts_ns = 0;
  Endpoint source;
  Endpoint destination;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t len = 0;        // TCP payload bytes on the wire (by the IP length, not by what was captured)
  std::uint32_t frame_len = 0;  // bytes of the whole frame on the wire, link header included
  std::uint32_t interface = 0;  // of the capture, from 0
  std::uint32_t ts_val = 0;     // TcpOption::timestamp
  std::uint32_t ts_ecr = 0;
  std::uint16_t window = 0;  // as in the header
  std::uint16_t mss = 0;     // 0: no such option
  std::uint16_t vlan_id = 0;
  std::uint16_t ip_id = 0;     // IPv4 identification; 0: none, or left out by its sender
  std::uint16_t checksum = 0;  // of TCP; 0: cut off
  std::uint16_t mptcp = 0;     // bit n: an MPTCP option of subtype n (RFC 8684, 8)
  std::uint8_t flags = 0;      // tcp_flag
  std::uint8_t options = 0;    // TcpOption
  std::uint8_t wscale = 0;     // TcpOption::window_scale: the shift
  std::uint8_t ttl = 0;        // or hop limit
  std::uint8_t sack_count = 0;
  bool bad_header = false;  // the data offset or the IP length contradict the frame; only addresses and ports hold
  bool bad_checksum = false;
  std::array<std::array<std::uint32_t, 2>, 4> sack{};  // left edge, right edge
  IcmpQuote icmp;
};

// One direction of a conversation. Bytes are TCP payload unless the name says otherwise.
struct StreamTotals {
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;          // whole frames, as tshark's conversations count
  std::uint64_t payload_bytes = 0;        // retransmissions included
  std::uint64_t retransmitted_bytes = 0;  // of these, sequence numbers that had been seen before
  std::uint64_t sequence_bytes = 0;       // from the first sequence number to the highest, holes included
  std::uint64_t missing_bytes = 0;        // of these, never seen: not captured
  std::uint64_t duplicate_bytes = 0;      // of frames that the capture has twice; in payload_bytes alone
  std::uint32_t duplicate_frames = 0;     // such frames
  std::uint32_t retransmits = 0;          // segments with Wireshark's flag
  std::uint32_t out_of_order = 0;         // likewise
  std::uint32_t repeated = 0;             // of these, those that were sent again: see Analysis::repeated
  [[nodiscard]] std::uint32_t sent_again() const { return retransmits + repeated; }
  [[nodiscard]] std::uint32_t late() const { return out_of_order - repeated; }
};

// A conversation when nothing more can come: tshark's tcp.stream.
struct ConversationTotals {
  std::uint64_t stream = 0;       // its number in the order of first frames, from 0
  StreamTotals out;               // sent by local
  StreamTotals in;                // sent by remote
  PayloadTimes payload;           // when it passed
  std::uint8_t completeness = 0;  // 1 SYN, 2 SYN-ACK, 4 ACK of it, 8 data, 16 FIN, 32 RST (tcp.completeness)
};

}  // namespace tcpwitness

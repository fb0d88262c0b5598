// SPDX-License-Identifier: Apache-2.0
// tcp_frames.hpp: from a frame to the TCP segment in it: link layer, VLAN tags, IP, tunnels, fragments.
//
// The innermost TCP header counts; a TCP header that an ICMP error quotes is no segment, but names one. A segment in IP
// fragments is reported at its last fragment. Memory for fragments is bounded.
#pragma once

#include <cstdint>
#include <memory>

#include "capture/capture_file.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// What a checksum is that the card had still to compute when the frame was captured. (To Zeek it is a wrong one.)
enum class LeftToCard : std::uint8_t { right, wrong };

// Frames of link types that are not read, so far, and the newest such type.
struct PassedOver {
  std::uint64_t frames = 0;
  std::uint16_t link_type = 0;
};

class TcpFrames {
 public:
  TcpFrames();
  ~TcpFrames();
  TcpFrames(const TcpFrames&) = delete;
  TcpFrames& operator=(const TcpFrames&) = delete;

  // Off at first: whether to fill bad_checksum, for segments that were captured whole and IPv4 headers. It takes time.
  void check_checksums(bool wanted, LeftToCard left = LeftToCard::right);

  // False: no TCP segment ends in this frame. An ICMP error that quotes one then is in tcp.icmp.
  bool parse(const CaptureBlock& block, TcpFrame& tcp);

  [[nodiscard]] PassedOver passed_over() const;
  // Segments so far of which the capture does not hold the header up to its window.
  [[nodiscard]] std::uint64_t cut() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// filter.hpp: a pcap-filter expression (as tcpdump takes it), compiled by libpcap for each link type it meets.
#pragma once

#include <memory>
#include <string>

#include "capture/capture_file.hpp"

namespace tcpwitness {

class PacketFilter {
 public:
  // Fails where libpcap refuses the expression both for Ethernet and for raw IP.
  static Result<std::unique_ptr<PacketFilter>> compile(const std::string& expression);
  ~PacketFilter();
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  [[nodiscard]] bool matches(const CaptureBlock& frame);
  // A link type was met that the expression is not possible for (`ether host` on raw IP): its frames do not match.
  [[nodiscard]] const std::optional<Error>& refused() const;

 private:
  PacketFilter();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// flow_filter.hpp: a pcap-filter expression about connections: addresses, networks, ports, families, and, or, not.
//
// libpcap compiles it, and its program runs on the headers that segments of the connection have, in both directions. An
// expression that asks for more than they all have in common (flags, bytes, lengths) is refused, and so is one that no
// connection can match, and one that excludes a direction: a connection has both.
#pragma once

#include <memory>
#include <string>

#include "tcpwitness/address.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

class FlowFilter {
 public:
  static Result<std::unique_ptr<FlowFilter>> compile(const std::string& expression);
  ~FlowFilter();
  FlowFilter(const FlowFilter&) = delete;
  FlowFilter& operator=(const FlowFilter&) = delete;

  [[nodiscard]] bool matches(const Flow& flow) const;
  // It has a negation: of a connection with two forms (NAT), both must match.
  [[nodiscard]] bool excludes() const;

 private:
  FlowFilter();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness

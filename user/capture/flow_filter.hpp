// SPDX-License-Identifier: Apache-2.0
// flow_filter.hpp: a pcap-filter expression about connections: addresses, networks, ports, families, and, or, not.
//
// libpcap compiles it, and its program runs on the headers that segments of the connection have, in both directions. An
// expression that asks for more than they all have in common (flags, bytes, lengths) is refused, and so is one that no
// connection can match, and one that excludes a direction: a connection has both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/result.hpp"
#include "values/port_range.hpp"

namespace tcpwitness {

// What the kernel's own filter can compare: one of the ports (if there are any) and one of the networks.
struct KernelFilter {
  std::vector<PortRange> ports;
  std::vector<Prefix> hosts;
};

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

// The same as the expression, where that is a plain conjunction: "tcp port 80 and net 10/8". Empty: it is not.
[[nodiscard]] std::optional<KernelFilter> as_kernel_filter(const std::string& expression);

}  // namespace tcpwitness

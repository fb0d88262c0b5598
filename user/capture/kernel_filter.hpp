// SPDX-License-Identifier: Apache-2.0
// kernel_filter.hpp: the part of pcap-filter expressions that the kernel's own comparison can do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tcpwitness/address.hpp"
#include "values/port_range.hpp"

namespace tcpwitness {

// What the kernel's own filter can compare: one of the ports (if there are any) and one of the networks.
struct KernelFilter {
  std::vector<PortRange> ports;
  std::vector<Prefix> hosts;
};

// The same as the expression, where that is a plain conjunction: "tcp port 80 and net 10/8". Empty: it is not.
[[nodiscard]] std::optional<KernelFilter> as_kernel_filter(const std::string& expression);

}  // namespace tcpwitness

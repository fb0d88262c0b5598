// SPDX-License-Identifier: Apache-2.0
// file_filter.hpp: --port and --host where a file is read, by connection: what selects one direction selects the other.
//
// (A live run has the kernel compare them.)
#pragma once

#include <algorithm>
#include <optional>
#include <variant>

#include "cli/options.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

class FileFilter {
 public:
  explicit FileFilter(const Options& options)
      : options_(options), all_(options.ports.empty() && options.hosts.empty()) {}

  [[nodiscard]] bool wants(const Endpoint& a, const Endpoint& b) const { return all_ || chosen(a, b); }
  // One of the two forms that NAT gives a connection is enough.
  [[nodiscard]] bool wants(const Flow& flow, const std::optional<Flow>& nat) const {
    return wants(flow.local, flow.remote) || (nat && wants(nat->local, nat->remote));
  }
  // What belongs to no connection passes.
  [[nodiscard]] bool wants(const Report& report) const {
    if (const auto* life = std::get_if<Life>(&report)) return wants(life->flow, life->nat);
    if (const auto* entry = std::get_if<Entry>(&report)) return wants(entry->flow, entry->nat);
    if (const auto* finding = std::get_if<FindingReport>(&report)) return wants(finding->flow, finding->nat);
    return true;
  }

 private:
  [[nodiscard]] bool chosen(const Endpoint& a, const Endpoint& b) const {
    const auto has_port = [&](const PortRange& ports) { return ports.contains(a.port) || ports.contains(b.port); };
    const auto has_host = [&](const Prefix& host) { return host.contains(a.address) || host.contains(b.address); };
    return (options_.ports.empty() || std::ranges::any_of(options_.ports, has_port)) &&
           (options_.hosts.empty() || std::ranges::any_of(options_.hosts, has_host));
  }

  const Options& options_;
  bool all_;
};

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// port_exhaustion.cpp: connect() found no local port (EADDRNOTAVAIL): the range, and who has its ports.
//
// A port is taken for one destination by any socket to it, TIME_WAIT included, and for all by a listener or a bind()
// without SO_REUSEADDR (inet_hash_connect()). That no SYN was made is shown by the socket; that the ports are all taken
// is certain only where they were counted.
#include <fmt/format.h>

#include <algorithm>

#include "facts/owner.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string ports(std::uint32_t count) { return fmt::format("{} port{}", count, count == 1 ? "" : "s"); }

std::string holders(const PortsFound& found) {
  std::string text;
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(found.used_holders, max_port_holders); ++i) {
    text += fmt::format("{}{} by {}", text.empty() ? "" : ", ", found.holders[i].ports,
                        process_words(port_holder(found.holders[i])));
  }
  if (found.others != 0) {
    text += fmt::format("{}{} by {}", text.empty() ? "" : ", ", found.others,
                        found.used_holders == max_port_holders ? "others" : "no process any more");
  }
  return text;
}

// Counted behind the failure: what was open then can be in TIME_WAIT since.
std::string in_use(const Connection& c, const PortsFound& found) {
  constexpr std::int64_t moment_ns = 1'000'000;
  const std::int64_t later = c.anomalies->ports_ns - c.teardown->end.ts_ns;
  std::string text = later > moment_ns ? fmt::format("counted {} later: ", seconds(later)) : "";
  text += fmt::format("{} in TIME_WAIT", found.time_wait);
  if (found.open != 0) text += fmt::format(", {} open ({})", found.open, holders(found));
  if (found.listening != 0) text += fmt::format(", {} listening", found.listening);
  return text;
}

}  // namespace

std::optional<Finding> judge_port_exhaustion(const Connection& c, const RuleContext& context) {
  if (!c.teardown || !c.teardown->no_syn) return std::nullopt;
  const Teardown& teardown = *c.teardown;
  const PortsFound* found = c.anomalies ? c.anomalies->ports.get() : nullptr;
  const bool range_known = teardown.last_port != 0;
  const bool in_order = range_known && teardown.last_port >= teardown.first_port;
  const std::uint32_t all = in_order ? teardown.last_port - teardown.first_port + 1U : 0;
  const std::uint32_t taken = found != nullptr ? found->time_wait + found->open + found->listening : 0;
  Finding finding;
  finding.rule = Rule::port_exhaustion;
  finding.confidence = found != nullptr && taken >= all && all != 0 ? Confidence::certain : Confidence::likely;
  finding.evidence.push_back(teardown.end.id);
  if (found != nullptr && c.anomalies->ports_id != 0) finding.evidence.push_back(c.anomalies->ports_id);
  if (!context.texts) return finding;
  const std::string to = to_string(c.flow.remote);
  if (teardown.port_bound) {
    finding.text = fmt::format("the process had bound port {}, which is in use to {} already", teardown.first_port, to);
    if (found != nullptr) finding.text += fmt::format(": {}", in_use(c, *found));
    return finding;
  }
  if (!range_known) {
    finding.text = fmt::format("connect() found no free local port to {}", to);
    return finding;
  }
  finding.text =
      fmt::format("connect() found no free local port to {}: {} in {}-{} ({})", to, ports(all), teardown.first_port,
                  teardown.last_port, teardown.own_range ? "IP_LOCAL_PORT_RANGE" : "net.ipv4.ip_local_port_range");
  if (found == nullptr) return finding;
  finding.text += fmt::format(", {}", in_use(c, *found));
  if (taken < all)
    finding.text += fmt::format("; {} {} free a moment later", all - taken, all - taken == 1 ? "was" : "were");
  return finding;
}

}  // namespace tcpwitness

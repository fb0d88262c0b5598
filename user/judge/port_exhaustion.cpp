// SPDX-License-Identifier: Apache-2.0
// port_exhaustion.cpp: connect() found no local port (EADDRNOTAVAIL): the range, and who has its ports.
//
// A port is taken for one destination by any socket to it, TIME_WAIT included, and for all by a listener or a bind()
// without SO_REUSEADDR (inet_hash_connect()). That no SYN was made is shown by the socket; that the ports are all taken
// is certain only where they were counted.
#include <algorithm>
#include <utility>
#include <vector>

#include "facts/owner.hpp"
#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

std::vector<arguments::PortExhaustion::Holder> holders(const PortsFound& found) {
  const std::uint32_t count = std::min<std::uint32_t>(found.used_holders, max_port_holders);
  std::vector<arguments::PortExhaustion::Holder> holders;
  holders.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i)
    holders.push_back({port_holder(found.holders[i]).named(), found.holders[i].ports});
  return holders;
}

}  // namespace

std::optional<Finding> judge_port_exhaustion(const Connection& c, const RuleContext& /*context*/, Outcome /*outcome*/) {
  if (!c.teardown || !c.teardown->found_no_port()) return std::nullopt;
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
  arguments::PortExhaustion result{.remote = c.flow.remote, .bound = teardown.port_bound};
  result.first_port = teardown.first_port;
  result.last_port = teardown.last_port;
  result.own_range = teardown.own_range;
  if (found != nullptr) {
    result.counted = true;
    result.counted_after_ns = c.anomalies->ports_ns - teardown.end.ts_ns;
    result.time_wait = found->time_wait;
    result.open = found->open;
    result.listening = found->listening;
    result.holders = holders(*found);
    result.more_holders = found->used_holders == max_port_holders;
    result.others = found->others;
  }
  finding.arguments = std::move(result);
  return finding;
}

}  // namespace tcpwitness

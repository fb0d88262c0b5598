// SPDX-License-Identifier: Apache-2.0
#include "run/samples.hpp"

#include <algorithm>
#include <utility>

#include "decode/record.hpp"
#include "run/backlog.hpp"
#include "run/time_share.hpp"

namespace tcpwitness {

void Samples::take(Clock::duration since_start) {
  if (every_.count() == 0 || since_start < next_) return;
  const auto begun = Clock::now();
  Records found;
  std::unordered_map<std::uint64_t, std::uint64_t> seen;
  parts_.tracer.sample_sockets([&](std::span<const std::byte> record) {
    const auto sample = sample_in(record);
    if (!sample) return;
    const std::uint64_t now = fingerprint(*sample);
    const auto before = seen_.find(sample->header.cookie);
    if (before == seen_.end() || before->second != now) found.emplace_back(record.begin(), record.end());
    seen.emplace(sample->header.cookie, now);
  });
  seen_ = std::move(seen);
  drain_.drain();  // what happened before
  for (const auto& record : found) feed_.take(record);
  const auto took = Clock::now() - begun;
  next_ = std::max(since_start + every_, since_start + one_per_cent * took);
}

}  // namespace tcpwitness

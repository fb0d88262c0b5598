// SPDX-License-Identifier: Apache-2.0
#include "facts/crowd.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "values/keyed_hash.hpp"

namespace tcpwitness {
namespace {

std::uint32_t hash_of(const Address& address, std::uint16_t port) {
  HashWords words{};
  std::memcpy(words.data(), address.bytes.data(), address.bytes.size());
  words[2] = port;
  // Not the process' own key: who reads a recording counts as the run did. No table hangs on it.
  static const HashKey key({0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU, 0xd6e8feb86659fd93U, 0xff51afd7ed558ccdU,
                            0xc4ceb9fe1a85ec53U, 0x165667b19e3779f9U, 0x27d4eb2f165667c5U, 0x85ebca77c2b2ae63U});
  return key.hash(words);
}

}  // namespace

void Distinct::add(std::uint32_t hash) {
  const std::uint32_t index = hash >> (32U - index_bits);
  const auto rank = static_cast<std::uint8_t>(std::countl_zero((hash << index_bits) | 1U) + 1);
  ranks_[index] = std::max(ranks_[index], rank);
}

std::uint64_t Distinct::count() const {
  constexpr double registers = 1U << index_bits;
  constexpr double alpha = 0.7213 / (1 + 1.079 / registers);
  double sum = 0;
  double empty = 0;
  for (const std::uint8_t rank : ranks_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0 ? 1 : 0;
  }
  const double raw = alpha * registers * registers / sum;
  const bool few = raw <= 2.5 * registers && empty > 0;
  return static_cast<std::uint64_t>(std::llround(few ? registers * std::log(registers / empty) : raw));
}

void Crowd::add(EventId id, TimeNs ts, const Flow& flow, std::uint64_t count) {
  if (size_ == 0) {
    since_ns_ = ts;
    first_ = flow;
  }
  size_ += count;
  since_ns_ = std::min(since_ns_, ts);
  until_ns_ = std::max(until_ns_, ts);
  evidence_.add(id);
  from_.add(hash_of(flow.remote.address, 0));
  to_.add(hash_of(flow.local.address, flow.local.port));
  const auto end = examples_.begin() + static_cast<std::ptrdiff_t>(examples_count_);
  if (examples_count_ < shown && std::find(examples_.begin(), end, flow.remote.address) == end)
    examples_[examples_count_++] = flow.remote.address;
}

arguments::Crowd Crowd::numbers() const {
  arguments::Crowd numbers;
  numbers.count = size_;
  numbers.lasted_ns = until_ns_ - since_ns_;
  numbers.from = from_.count();
  numbers.from_examples.assign(examples_.begin(), examples_.begin() + static_cast<std::ptrdiff_t>(examples_count_));
  numbers.more_examples = examples_count_ == shown && numbers.from > shown;
  numbers.to = first_.local;
  numbers.to_count = to_.count();
  return numbers;
}

void add_reason(ByReason& reasons, std::uint32_t reason, std::uint64_t count) {
  const auto same = std::ranges::find(reasons, reason, &ByReason::value_type::first);
  if (same == reasons.end()) {
    reasons.emplace_back(reason, count);
  } else {
    same->second += count;
  }
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// keyed_hash.cpp: see keyed_hash.hpp.
#include "values/keyed_hash.hpp"

#include <sys/auxv.h>
#include <sys/random.h>

#include <cstdlib>
#include <cstring>

namespace tcpwitness {
namespace {

// SplitMix64's step.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

}  // namespace

HashKey::HashKey() {
  // Up to 256 bytes come whole, and without waiting once the machine has booted (getrandom(2)).
  if (getrandom(key_.data(), sizeof key_, 0) == static_cast<ssize_t>(sizeof key_)) return;
  // A container's filter of system calls refuses it: 16 bytes that the kernel gives each process at its begin.
  const unsigned long given = getauxval(AT_RANDOM);
  if (given == 0) std::abort();
  std::array<std::uint64_t, 2> seed{};
  std::memcpy(seed.data(), reinterpret_cast<const void*>(given), sizeof seed);  // NOLINT(performance-no-int-to-ptr)
  for (std::size_t i = 0; i < key_.size(); ++i) key_[i] = mixed(seed[i % 2] + i);
}

const HashKey HashKey::process;

}  // namespace tcpwitness

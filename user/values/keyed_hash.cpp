// SPDX-License-Identifier: Apache-2.0
// keyed_hash.cpp: see keyed_hash.hpp.
#include "values/keyed_hash.hpp"

#include <sys/random.h>

#include <cstdlib>

namespace tcpwitness {

HashKey::HashKey() {
  // Up to 256 bytes come whole, and without waiting once the machine has booted (getrandom(2)).
  if (getrandom(key_.data(), sizeof key_, 0) != static_cast<ssize_t>(sizeof key_)) std::abort();
}

const HashKey HashKey::process;

}  // namespace tcpwitness

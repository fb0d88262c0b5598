// SPDX-License-Identifier: Apache-2.0
// prefetch.hpp: the memory of connections whose events are fed soon, and that were not looked at for long.
#pragma once

#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

// For whoever has many events at once, or other work before the next one. In two steps, some events apart: the
// connection (of a socket's digest: its places in the indexes), then what it points to.
class Prefetch {
 public:
  static void connection(const Correlator& correlator, const Event& event);
  static void rest(const Correlator& correlator, const Event& event);
};

}  // namespace tcpwitness

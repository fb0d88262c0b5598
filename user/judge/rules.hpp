// SPDX-License-Identifier: Apache-2.0
// rules.hpp: all rules, as correlation asks them.
#pragma once

#include "facts/rules.hpp"

namespace tcpwitness {

[[nodiscard]] const Rules& all_rules();

}  // namespace tcpwitness

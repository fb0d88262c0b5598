// SPDX-License-Identifier: Apache-2.0
// rules.hpp: all rules, as correlation asks them.
#pragma once

namespace tcpwitness {

class Rules;  // facts/rules.hpp

[[nodiscard]] const Rules& all_rules();

}  // namespace tcpwitness

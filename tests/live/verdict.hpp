// SPDX-License-Identifier: Apache-2.0
//
// What must be judged of a connection: its outcome and exactly these findings, each once. Because no other finding
// may stand beside them, every case is also the near miss of all rules it is not about.

#pragma once

#include <string>
#include <vector>

#include "live/situation.hpp"

namespace tcpwitness::live {

struct ExpectedFinding {
  std::string rule;
  std::string confidence{};  // "": certain or likely
  Words words{};             // its sentence contains each of these: who, why, how many
};

struct Verdict {
  std::string outcome;  // "": there is no such connection here
  std::vector<ExpectedFinding> findings{};
  bool under_load = false;  // its TCP may also send again what nobody dropped
};

void expect_verdict(const Printed& printed, const Json& life, const Verdict& verdict, const std::string& whose);

}  // namespace tcpwitness::live

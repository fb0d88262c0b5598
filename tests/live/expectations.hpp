// SPDX-License-Identifier: Apache-2.0
//
// Every case that is about a finding or an outcome, and what each side's tracer must judge of it.

#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "live/verdict.hpp"

namespace tcpwitness::live {

struct Expectation {
  std::string name;
  Verdict client;
  Verdict server;
  std::vector<std::string> arguments{};  // of the client's tracer
  std::string variant{};                 // where a case is played twice
  bool (*needs)() = nullptr;             // of the kernel (abilities.hpp)
  std::string lacks{};                   // what a kernel does not do where that is false
};

inline void PrintTo(const Expectation& expectation, std::ostream* out) { *out << expectation.name; }

// In the order of `lab list`.
const std::vector<Expectation>& expectations();

}  // namespace tcpwitness::live

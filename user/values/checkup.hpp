// SPDX-License-Identifier: Apache-2.0
// checkup.hpp: what the doctor found out about this machine, as values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

struct Check {
  enum class Group : std::uint8_t { machine, kernel, wire, residue };
  // It works; it works with a loss that `found` names; it does not work; it could not be looked at.
  enum class State : std::uint8_t { good, less, bad, unknown };
  Group group{};
  State state{};
  std::string name;    // what was looked at: "privilege", "sock:inet_sock_set_state", "eth0"
  std::string found;   // in words
  std::string advice;  // what to do about it; may be empty
};

struct Checkup {
  TimeNs ts_ns = 0;
  std::string version;
  std::string kernel;  // its release
  std::string libbpf;  // its version
  std::vector<Check> checks;
  Check::State kernel_witness = Check::State::unknown;
  Check::State wire_witness = Check::State::unknown;

  [[nodiscard]] bool both_work() const {
    const auto works = [](Check::State state) { return state == Check::State::good || state == Check::State::less; };
    return works(kernel_witness) && works(wire_witness);
  }
};

}  // namespace tcpwitness

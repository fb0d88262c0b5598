// SPDX-License-Identifier: Apache-2.0
#include "cli/live_alone.hpp"

#include <array>
#include <utility>

namespace tcpwitness::cli {

std::string_view live_alone(const Options& o) {
  static const Options defaults;
  const std::array<std::pair<bool, std::string_view>, 13> all{{
      {!o.program.empty(), "a command"},
      {o.duration.has_value(), "--duration"},
      {o.command == Command::top && o.count, "--count"},  // a screen stays until its reader leaves
      {!o.interfaces.empty(), "--interface"},
      {!o.netns.empty(), "--netns"},
      {o.children, "--children"},
      {!o.user.empty(), "--uid"},
      {o.forwarded, "--forwarded"},
      {o.wire != defaults.wire, "--wire"},
      {o.kernel != defaults.kernel, "--kernel"},
      {o.ring_bytes != defaults.ring_bytes, "--ring-size"},
      {o.flows != defaults.flows, "--flows"},
      {o.sample.has_value(), "--sample"},
  }};
  for (const auto& [given, name] : all) {
    if (given) return name;
  }
  return "";
}

}  // namespace tcpwitness::cli

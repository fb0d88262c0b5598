// SPDX-License-Identifier: Apache-2.0
// metric_label.hpp: by what metrics can be distinguished, where that is asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpwitness {

// listener: the port that was connected to. process: the name of the process. remote: the /24 or /48 of the other end.
// role: active, passive.
enum class MetricLabel : std::uint8_t { listener, process, remote, role };
inline constexpr std::array<std::string_view, 4> metric_label_names{"listener", "process", "remote", "role"};
[[nodiscard]] constexpr std::string_view name(MetricLabel label) {
  return metric_label_names[static_cast<std::size_t>(label)];
}

}  // namespace tcpwitness

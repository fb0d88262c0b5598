// SPDX-License-Identifier: Apache-2.0
// group_key.hpp: what connections can have in common, for a summary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpwitness {

// local, remote: the address. listener: the end that was connected to, with its port. container: the cgroup of the
// process. finding: the first that is a problem.
enum class GroupKey : std::uint8_t { comm, pid, local, remote, listener, netns, container, outcome, finding };
inline constexpr std::array<std::string_view, 9> group_key_names{"comm",  "pid",       "local",   "remote", "listener",
                                                                 "netns", "container", "outcome", "finding"};
[[nodiscard]] constexpr std::string_view name(GroupKey key) { return group_key_names[static_cast<std::size_t>(key)]; }

}  // namespace tcpwitness

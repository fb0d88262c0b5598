// SPDX-License-Identifier: Apache-2.0
// container.hpp: a short name for the cgroup of a process: of its container, service or session.
#pragma once

#include <string>
#include <string_view>

namespace tcpwitness {

// Of all the cgroups that /proc/PID/cgroup lists the one with the most specific name: the unified hierarchy's, else
// systemd's, else any other one that is not the root. "" where it lists none.
[[nodiscard]] std::string_view cgroup_path(std::string_view file);

// "docker:0123456789ab" (as `docker ps` has it), "lxc:web", "nginx.service", "session-3.scope"; "/" of the root.
[[nodiscard]] std::string container_name(std::string_view path);

}  // namespace tcpwitness

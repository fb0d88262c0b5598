// SPDX-License-Identifier: Apache-2.0
// atomic_file.hpp: a file that is written beside its path and takes its name when it is whole: a run that is killed
// leaves what was there, and nothing else.
#pragma once

#include <string>

namespace tcpwitness {

// To write to, with the mode and the owner of what the path is now. -1: what the path is cannot be replaced (a device,
// a pipe, a link, a file with several names), or there is no room for a file beside it. One a process.
[[nodiscard]] int open_beside(const std::string& path);
// It is whole: it gets its name. False: it did not; see errno. True too where there is none.
[[nodiscard]] bool name_what_is_beside();

}  // namespace tcpwitness

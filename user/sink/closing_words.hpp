// SPDX-License-Identifier: Apache-2.0
// closing_words.hpp: how a connection ended, as the last line of its timeline. Pure.
#pragma once

#include <string>

#include "tcpwitness/connection.hpp"

namespace tcpwitness {

// "completed after 12 ms, closed by this side: 78 bytes sent, ...".
[[nodiscard]] std::string closing_words(const Life& life);

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// expression_words.hpp: what the text of a pcap-filter expression shows, and its compiled program does not.
#pragma once

#include <string>

namespace tcpwitness {

// The part that is about single packets, as it is written there; "" where none is known by its words.
[[nodiscard]] std::string part_of_packets(const std::string& expression);
[[nodiscard]] bool has_negation(const std::string& expression);
// The direction that a negation has in it: "not src port 22" is true of every connection, one way or the other. ""
// where there is none.
[[nodiscard]] std::string negated_direction(const std::string& expression);
// "net 10/8" as libpcap takes it, which needs at least one dot.
[[nodiscard]] std::string with_dots(const std::string& expression);

}  // namespace tcpwitness

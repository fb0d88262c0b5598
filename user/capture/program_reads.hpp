// SPDX-License-Identifier: Apache-2.0
// program_reads.hpp: which bytes of a packet a filter program reads. Its instructions are followed, with what is known
// on the way: the version of IP, and that no segment is a fragment.
#pragma once

#include <pcap/pcap.h>

#include <string>

namespace tcpwitness {

// What it reads that not all segments of a connection have in common; empty: nothing.
[[nodiscard]] std::string read_beyond_connection(const bpf_program& program);

}  // namespace tcpwitness

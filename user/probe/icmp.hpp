// SPDX-License-Identifier: Apache-2.0
// icmp.hpp: two raw sockets whose filters see every ICMP error of this namespace (bpf/icmp.bpf.c).
//
// Nothing is ever read from them: the filters take no packet, and of ICMP they see errors alone. They are gone with
// this process.
#pragma once

#include <vector>

#include "tcpwitness/report.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

class IcmpSockets {
 public:
  // The programs' descriptors. One hook for each family, off where there is no such socket to be had.
  std::vector<Hook> attach(int program_v4, int program_v6);
  void detach();

 private:
  UniqueFd v4_;
  UniqueFd v6_;
};

}  // namespace tcpwitness

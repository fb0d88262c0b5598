// SPDX-License-Identifier: Apache-2.0
//
// Ordinary traffic of ordinary programs between the lab's hosts, for as long as the object lives: curl with nginx
// and Node, Node with Node, iperf3, and short connections over loopback; IPv4 and IPv6; plain, to translated addresses
// (DNAT in the client's output, REDIRECT before the server) and over MPTCP; many short connections and some long ones.
// Nothing of it uses the lab's service port. Beside it two more hosts with the same addresses and ports converse over a
// cable that loses segments: nothing of theirs is of this lab.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "live/converse.hpp"
#include "live/situation.hpp"

namespace tcpwitness::live {

class Traffic {
 public:
  // Why there can be none here: "" if there can.
  static std::string obstacle();
  static lab::Result<std::unique_ptr<Traffic>> start(lab::Lab& lab);
  // Lets every program finish what it does, then stops the servers.
  ~Traffic();

  // First complaint of a client, "" for none.
  std::string complaint() const;

 private:
  explicit Traffic(lab::Lab& lab) : lab_(lab) {}
  lab::Result<void> translate_addresses();
  lab::Result<void> start_twins();
  lab::Result<void> start_servers();
  lab::Result<void> start_clients();
  // Conversations over and over, until the end.
  void repeat(const lab::Namespace& client, const lab::Namespace& server, const Conversation& what);

  lab::Lab& lab_;
  std::filesystem::path directory_;
  std::vector<lab::Child> servers_;
  std::vector<lab::Child> clients_;
  Transcript quiet_;
  std::unique_ptr<lab::Lab> twins_;
  std::vector<std::jthread> conversations_;
};

}  // namespace tcpwitness::live

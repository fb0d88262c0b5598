// SPDX-License-Identifier: Apache-2.0
//
// The inside of an actor: a process in one of the lab's namespaces that does what its script tells it and nothing
// else. It ends when the script closes the channel, and by SIGKILL when the script's process dies.

#pragma once

namespace tcpwitness::lab {

// `lab actor NETNS COMM`, with the channel on descriptor 3. Returns the exit code.
int run_actor(const char* netns_path, const char* comm);

}  // namespace tcpwitness::lab

// SPDX-License-Identifier: Apache-2.0
// run.hpp: the composition roots, one a source. Nowhere else do source, core and sink meet.
//
// Each returns the exit code: 0 ok, 1 runtime failure (message on stderr).
#pragma once

#include <memory>

#include "cli/options.hpp"

namespace tcpwitness {

class LiveView;

// life, trace, explain, summary, compare, serve, record: the ring buffer of this machine.
[[nodiscard]] int run_live(const Options& options);
// The same on a screen.
[[nodiscard]] int run_live(const Options& options, std::unique_ptr<LiveView> view);

// top: that, or a file that is played.
[[nodiscard]] int run_top(const Options& options);

// read: a capture, or a recording of ours. Needs no privilege.
[[nodiscard]] int run_read(const Options& options);

// picture: as run_read where a file is named, else as run_live.
[[nodiscard]] int run_picture(const Options& options);

// ls: the sockets that are open now.
[[nodiscard]] int run_ls(const Options& options);

// wireshark: the plugin, the profile and the extcap of Wireshark.
[[nodiscard]] int run_wireshark(const Options& options);

// doctor: what this machine can do, or the catalogue. 1 where a witness cannot work.
[[nodiscard]] int run_doctor(const Options& options);

}  // namespace tcpwitness

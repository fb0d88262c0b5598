// SPDX-License-Identifier: Apache-2.0
//
// What a tracer has in the kernel, and whether it is gone: BPF programs and links by the ids its descriptors name
// (so that another tracer on this machine cannot disturb), and what a namespace's devices carry.

#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "live/tracer_run.hpp"

namespace tcpwitness::live {

struct KernelObjects {
  std::set<int> links;
  std::set<int> programs;
};
// Of a living process.
KernelObjects objects_of(pid_t pid);
// Those of them that the kernel (bpftool) still lists.
KernelObjects remaining(const KernelObjects& objects);

// Qdiscs, tc filters, tcx and XDP programs of every device in the namespace, in the tools' own words.
std::string attachments(const std::string& netns);

// Within `patience`: nothing of `objects` is listed and the namespace looks as it did. "" or what is left.
std::string residue(const KernelObjects& objects, const std::string& netns, const std::string& before,
                    Millis patience = Millis(1000));

}  // namespace tcpwitness::live

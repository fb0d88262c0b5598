// SPDX-License-Identifier: Apache-2.0
//
// tcpdump at the client's link, as a judge beside the tracer.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lab/lab.hpp"
#include "live/tracer_run.hpp"

namespace tcpwitness::live {

class Tcpdump {
 public:
  // Returns when it captures. more: its options besides where, how much of each packet, and the file.
  static Result<Tcpdump> start(lab::Lab& lab, const std::filesystem::path& file,
                               const std::vector<std::string>& more = {}, const std::string& filter = "tcp");
  // Ends it once it has written all that its filter took: when it ends, what is still in its buffer is not in the file,
  // and not counted as dropped. An error where the kernel dropped any.
  Result<void> stop();

 private:
  lab::Child child_;
  std::unique_ptr<Transcript> said_ = std::make_unique<Transcript>();
};

}  // namespace tcpwitness::live

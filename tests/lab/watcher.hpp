// SPDX-License-Identifier: Apache-2.0
//
// A program that watches while the lab plays: the tracer, or tcpdump. It is started, waited for until it prints on
// stderr that it is ready, and stopped with SIGINT. Its stderr passes through; stdout is inherited.

#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lab/child.hpp"

namespace tcpwitness::lab {

class Watcher {
 public:
  // Returns once a line on stderr contains one of `ready_words`; none within `patience` is a failure: half a
  // story would be shown.
  static Result<std::unique_ptr<Watcher>> start(const std::vector<std::string>& argv,
                                                const std::vector<std::string>& ready_words,
                                                Millis patience = std::chrono::seconds(30));

  ~Watcher();

  // SIGINT; its exit code, or a failure if it has to be killed.
  Result<int> stop(Millis patience = std::chrono::seconds(5));

 private:
  explicit Watcher(Child child) : child_(std::move(child)) {}

  Child child_;
  std::thread relay_;  // copies stderr until the watcher ends
};

}  // namespace tcpwitness::lab

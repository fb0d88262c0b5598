// SPDX-License-Identifier: Apache-2.0
//
// One run of tcpwitness as its users have it: a process with arguments, environment, stdout and stderr. Both
// outputs go to unlinked files, so nothing here can block and the tracer's output is never a full pipe.
//
//   auto tracer = TracerRun::start({"trace", "-o", "json", "--netns", ns});
//   if (auto up = (*tracer)->wait_ready(); !up) ... up.error() has the tracer's stderr ...
//   const Ended ended = (*tracer)->stop();

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/child.hpp"
#include "lab/result.hpp"
#include "lab/unique_fd.hpp"

namespace tcpwitness::live {

using lab::Millis;
using lab::Result;
using lab::UniqueFd;

inline constexpr int did_not_end = -1;
// A bound for what never comes, not for what is slow: in an emulated machine the verifier alone takes ten seconds.
inline constexpr Millis patience_for_a_tracer = std::chrono::seconds(90);

struct Ended {
  int code = did_not_end;  // exit code, 128 + signal, or did_not_end
  std::string out;
  std::string err;
};

// An unlinked file: what a process wrote so far can be read at any time.
class Transcript {
 public:
  Transcript();
  int fd() const { return file_.get(); }
  std::string text() const;

 private:
  UniqueFd file_;
};

class TracerRun {
 public:
  // `through`: what stands before it on env(1)'s command line: variables ("TCPWITNESS_WITHOUT=tcx"), or a program
  // that starts it ("setpriv", ...). `out`: a descriptor instead of the transcript.
  static Result<std::unique_ptr<TracerRun>> start(const std::vector<std::string>& arguments,
                                                  const std::vector<std::string>& through = {}, int out = -1);

  // Until every hook is live, by the tracer's own report.
  Result<void> wait_ready(Millis patience = patience_for_a_tracer) const;
  // Until stdout or stderr contains `word`; false if it never does.
  bool wait_for(const std::string& word, Millis patience) const;
  Ended stop(Millis patience = patience_for_a_tracer);  // SIGINT
  Ended wait(Millis patience = patience_for_a_tracer);  // ends by itself
  Ended kill();                                         // SIGKILL

  pid_t pid() const { return child_.pid(); }
  std::string out() const { return out_.text(); }
  std::string err() const { return err_.text(); }

 private:
  TracerRun() = default;

  Transcript out_;
  Transcript err_;
  mutable lab::Child child_;
};

// Starts it, waits for its end and hands back everything.
Ended run_to_end(const std::vector<std::string>& arguments, const std::vector<std::string>& through = {},
                 Millis patience = patience_for_a_tracer);

}  // namespace tcpwitness::live

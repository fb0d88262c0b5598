// SPDX-License-Identifier: Apache-2.0
//
// One case, played once. open() brings the players up (and, for the few cases that need it, a connection);
// then whoever watches starts; finish() plays and returns what happened. The players live on, and rules stay in
// place, until the object dies: stop the tracer first, or it will also see them being cleared away. A lab may host
// one performance after another; a lab for each is cleaner, and takes 50 ms.
//
//   auto lab = Lab::create();
//   auto performance = Performance::open(**lab, *find_case("kill-unread"));
//   ... start the tracer in (*lab)->client_ns(), wait until it is ready ...
//   auto played = (*performance)->finish();

#pragma once

#include <memory>

#include "lab/catalogue.hpp"
#include "lab/lab.hpp"
#include "lab/script.hpp"

namespace tcpwitness::lab {

class Performance {
 public:
  static Result<std::unique_ptr<Performance>> open(Lab& lab, const Case& what, PlayOptions options = {});
  ~Performance();

  // What is known before the play: who the players are, and the endpoints if the case has connected already.
  const Played& so_far() const { return script_->played; }
  // Once.
  Result<Played> finish();

 private:
  Performance(Lab& lab, const Case& what, std::unique_ptr<Script> script)
      : lab_(lab), case_(what), script_(std::move(script)) {}

  Lab& lab_;
  const Case& case_;
  std::unique_ptr<Script> script_;
};

// open() and finish() for those who need nothing in between.
Result<Played> play(Lab& lab, const Case& what, PlayOptions options = {});

}  // namespace tcpwitness::lab

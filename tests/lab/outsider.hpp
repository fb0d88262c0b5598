// SPDX-License-Identifier: Apache-2.0
//
// Somebody on the path: a program on the third machine (Lab::route_through_third_machine) that reads along and
// sends in another's name. Its segments are hand-made, so their TTL is not that of the host it pretends to be, and
// no kernel at either end has sent them. Sequence numbers here are the real ones.

#pragma once

#include <optional>

#include "lab/actor.hpp"
#include "lab/lab.hpp"
#include "lab/segment.hpp"

namespace tcpwitness::lab {

class Outsider {
 public:
  static Result<Outsider> on(const Lab& lab, Failure& failure);
  // One that neither receives nor sends, for a script that has failed already.
  static Outsider mute(Failure& failure) { return Outsider({}, {}, failure); }

  // The next segment that passes from `from` with just these flags.
  Segment overhear(const Endpoint& from, std::string_view flags, Millis patience = std::chrono::seconds(3));
  void say(const Segment& segment);

 private:
  Outsider(UniqueFd in, UniqueFd out, Failure& failure)
      : in_(std::move(in)), out_(std::move(out)), failure_(&failure) {}

  UniqueFd in_;
  UniqueFd out_;
  Failure* failure_;
};

}  // namespace tcpwitness::lab

// SPDX-License-Identifier: Apache-2.0
//
// A host that is nothing but a script: it has an address no kernel owns (10.99.0.11 beside the client, 10.99.0.12
// beside the server), sends hand-made segments and receives what the real kernel at the other end answers. No kernel
// interferes, because the namespace it lives in neither owns its address nor forwards.
//
// Sequence numbers are relative, as in the books: seq 0 is our SYN, ack 1 acknowledges theirs. Failures are sticky,
// as with actors: a segment that does not come, or is another one, ends the script.

#pragma once

#include <string>
#include <string_view>

#include "lab/actor.hpp"
#include "lab/lab.hpp"
#include "lab/segment.hpp"

namespace tcpwitness::lab {

// What may be odd about a segment that a host sends.
struct Oddity {
  bool damaged = false;   // its checksum is wrong
  uint32_t older_by = 0;  // its timestamp is that much older than it should be
  uint16_t window = 65000;
};

class ScriptedHost {
 public:
  // Beside the real host of `side`, so that its segments cross the cable to the other side.
  static Result<ScriptedHost> beside(const Lab& lab, Side side, uint16_t port, Failure& failure);

  // A host that neither receives nor sends, for a script that has failed already.
  static ScriptedHost mute(Failure& failure) { return ScriptedHost({}, {}, {}, failure); }

  const Endpoint& at() const { return self_; }
  // Whom to talk to; otherwise whoever sends the first SYN.
  void talk_to(const Endpoint& peer) { peer_ = peer; }
  // From here on every segment it sends carries timestamps.
  void use_timestamps() { timestamps_ = Timestamps{.value = 5'000'000}; }

  void say(std::string_view flags, uint32_t seq, uint32_t ack, std::string_view data = {}, const Oddity& odd = {});
  // The next segment of the conversation, which must have just these flags; numbers in it are relative. A copy of
  // the one received before it is passed over, unless it is asked for (hear_again).
  Segment hear(std::string_view flags, Millis patience = std::chrono::seconds(3));
  Segment hear_again(std::string_view flags, Millis patience = std::chrono::seconds(3));

 private:
  ScriptedHost(UniqueFd in, UniqueFd out, Endpoint self, Failure& failure)
      : in_(std::move(in)), out_(std::move(out)), self_(std::move(self)), failure_(&failure) {}
  std::optional<Segment> next(Millis patience);
  Segment expect(std::string_view flags, Millis patience, bool repeats_count);

  UniqueFd in_;
  UniqueFd out_;
  Endpoint self_;
  Endpoint peer_;
  uint32_t our_isn_ = 1'000'000;
  uint32_t their_isn_ = 0;
  Segment last_;
  std::optional<Timestamps> timestamps_;  // of the next segment
  Failure* failure_;
};

}  // namespace tcpwitness::lab

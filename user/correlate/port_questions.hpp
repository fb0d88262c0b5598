// SPDX-License-Identifier: Apache-2.0
// port_questions.hpp: who has the local ports that connect() did not find: asked once a second for a destination and a
// range.
//
// Bounded: a process that calls connect() in a loop must not make us walk all sockets for each failure.
#pragma once

#include <cstdint>
#include <deque>

#include "tcpwitness/event.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

// The one that this answers.
[[nodiscard]] PortsQuestion question_of(const PortsFound& ports);

class PortQuestions {
 public:
  static constexpr std::int64_t new_ns = 1'000'000'000;  // an answer stands for so long
  static constexpr std::size_t limit = 16;

  enum class Asked : std::uint8_t { now, before, no_room };
  struct Answer {
    EventId id = 0;
    TimeNs ts_ns = 0;
    PortsFound ports{};
  };

  // now: it is new, and to be asked.
  [[nodiscard]] Asked ask(const PortsQuestion& question, TimeNs now);
  void answered(const Event& e, const PortsFound& ports);
  // nullptr: none yet, or none that is new.
  [[nodiscard]] const Answer* answer(const PortsQuestion& question, TimeNs now) const;

 private:
  struct Question {
    PortsQuestion asked;
    TimeNs ts_ns = 0;
    Answer answer{};
    [[nodiscard]] bool is_new(const PortsQuestion& question, TimeNs now) const {
      return asked == question && now - ts_ns <= new_ns;
    }
  };
  std::deque<Question> questions_;  // the newest last
};

}  // namespace tcpwitness

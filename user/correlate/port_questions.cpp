// SPDX-License-Identifier: Apache-2.0
// port_questions.cpp: a question and its answer, by destination.
#include "correlate/port_questions.hpp"

#include <algorithm>

namespace tcpwitness {

PortQuestions::Asked PortQuestions::ask(std::uint32_t netns, const Endpoint& remote, TimeNs now) {
  const auto same = [&](const Question& question) { return question.is_new(netns, remote, now); };
  if (std::ranges::any_of(questions_, same)) return Asked::before;
  if (questions_.size() == limit) {
    if (now - questions_.front().ts_ns <= new_ns) return Asked::no_room;
    questions_.pop_front();
  }
  questions_.push_back(Question{netns, remote, now});
  return Asked::now;
}

void PortQuestions::answered(const Event& e, const PortsFound& ports) {
  const Endpoint remote = to_flow(ports.tuple).remote;
  for (Question& question : questions_) {
    if (question.netns != ports.header.netns || question.remote != remote || question.answer.id != 0) continue;
    question.answer = {e.id, e.ts_ns, ports};
  }
}

const PortQuestions::Answer* PortQuestions::answer(std::uint32_t netns, const Endpoint& remote, TimeNs now) const {
  const auto found = std::ranges::find_if(questions_, [&](const Question& question) {
    return question.answer.id != 0 && question.is_new(netns, remote, now);
  });
  return found == questions_.end() ? nullptr : &found->answer;
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// port_questions.cpp: a question and its answer, by destination and range of ports.
#include "correlate/port_questions.hpp"

#include <algorithm>

namespace tcpwitness {

PortsQuestion question_of(const PortsFound& ports) {
  return {ports.header.netns, to_flow(ports.tuple).remote, ports.first_port, ports.last_port};
}

PortQuestions::Asked PortQuestions::ask(const PortsQuestion& question, TimeNs now) {
  const auto same = [&](const Question& one) { return one.is_new(question, now); };
  if (std::ranges::any_of(questions_, same)) return Asked::before;
  if (questions_.size() == limit) {
    if (now - questions_.front().ts_ns <= new_ns) return Asked::no_room;
    questions_.pop_front();
  }
  questions_.push_back(Question{question, now});
  return Asked::now;
}

void PortQuestions::answered(const Event& e, const PortsFound& ports) {
  const PortsQuestion asked = question_of(ports);
  for (Question& one : questions_) {
    if (one.asked == asked && one.answer.id == 0) one.answer = {e.id, e.ts_ns, ports};
  }
}

const PortQuestions::Answer* PortQuestions::answer(const PortsQuestion& question, TimeNs now) const {
  const auto found = std::ranges::find_if(
      questions_, [&](const Question& one) { return one.answer.id != 0 && one.is_new(question, now); });
  return found == questions_.end() ? nullptr : &found->answer;
}

}  // namespace tcpwitness

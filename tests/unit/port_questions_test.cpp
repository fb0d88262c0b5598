// SPDX-License-Identifier: Apache-2.0
// Each destination is asked about once a second, and an answer stands for as long.
#include "correlate/port_questions.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

using Asked = PortQuestions::Asked;
constexpr TimeNs second = 1'000'000'000;

PortsQuestion of_port(std::uint32_t netns, std::uint16_t port, std::uint16_t last = 60999) {
  Flow flow = to_flow(AddressPair{});
  flow.remote.port = port;
  return {netns, flow.remote, 32768, last};
}

PortsFound answer_of(std::uint32_t netns, std::uint16_t port, std::uint16_t last = 60999) {
  PortsFound ports{};
  ports.header.netns = netns;
  ports.tuple.remote_port = port;
  ports.first_port = 32768;
  ports.last_port = last;
  return ports;
}

TEST(PortQuestions, AreAskedOnceASecond) {
  PortQuestions questions;
  EXPECT_EQ(questions.ask(of_port(1, 443), 0), Asked::now);
  EXPECT_EQ(questions.ask(of_port(1, 443), second), Asked::before);
  EXPECT_EQ(questions.ask(of_port(2, 443), second), Asked::now) << "another namespace";
  EXPECT_EQ(questions.ask(of_port(1, 443), second + 1), Asked::now);
}

TEST(PortQuestions, WaitWhereTooManyWereAsked) {
  PortQuestions questions;
  for (std::uint16_t i = 0; i < PortQuestions::limit; ++i) EXPECT_EQ(questions.ask(of_port(1, i), 0), Asked::now);
  EXPECT_EQ(questions.ask(of_port(1, 443), second), Asked::no_room);
  EXPECT_EQ(questions.ask(of_port(1, 443), second + 1), Asked::now);
}

TEST(PortQuestions, AnAnswerStandsAsLongAsItsQuestion) {
  PortQuestions questions;
  EXPECT_EQ(questions.ask(of_port(1, 443), 0), Asked::now);
  EXPECT_EQ(questions.answer(of_port(1, 443), 0), nullptr);
  questions.answered(Event{7, 5, {}}, answer_of(1, 443));
  questions.answered(Event{8, 6, {}}, answer_of(1, 443));
  const auto* answer = questions.answer(of_port(1, 443), second);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->id, 7U) << "the first one";
  EXPECT_EQ(questions.answer(of_port(1, 80), second), nullptr);
  EXPECT_EQ(questions.answer(of_port(1, 443), second + 1), nullptr);
}

// A socket with a range of its own (IP_LOCAL_PORT_RANGE), or with the port of a bind().
TEST(PortQuestions, EachRangeIsAnotherQuestion) {
  PortQuestions questions;
  EXPECT_EQ(questions.ask(of_port(1, 443), 0), Asked::now);
  EXPECT_EQ(questions.ask(of_port(1, 443, 32769), 0), Asked::now);
  questions.answered(Event{7, 5, {}}, answer_of(1, 443, 32769));
  EXPECT_EQ(questions.answer(of_port(1, 443), second), nullptr);
  EXPECT_NE(questions.answer(of_port(1, 443, 32769), second), nullptr);
}

}  // namespace
}  // namespace tcpwitness

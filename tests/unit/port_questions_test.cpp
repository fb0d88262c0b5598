// SPDX-License-Identifier: Apache-2.0
// Each destination is asked about once a second, and an answer stands for as long.
#include "correlate/port_questions.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

using Asked = PortQuestions::Asked;
constexpr TimeNs second = 1'000'000'000;

Endpoint of_port(std::uint16_t port) {
  Flow flow = to_flow(AddressPair{});
  flow.remote.port = port;
  return flow.remote;
}

PortsFound answer_of(std::uint32_t netns, std::uint16_t port) {
  PortsFound ports{};
  ports.header.netns = netns;
  ports.tuple.remote_port = port;
  return ports;
}

TEST(PortQuestions, AreAskedOnceASecond) {
  PortQuestions questions;
  EXPECT_EQ(questions.ask(1, of_port(443), 0), Asked::now);
  EXPECT_EQ(questions.ask(1, of_port(443), second), Asked::before);
  EXPECT_EQ(questions.ask(2, of_port(443), second), Asked::now) << "another namespace";
  EXPECT_EQ(questions.ask(1, of_port(443), second + 1), Asked::now);
}

TEST(PortQuestions, WaitWhereTooManyWereAsked) {
  PortQuestions questions;
  for (std::uint16_t i = 0; i < PortQuestions::limit; ++i) EXPECT_EQ(questions.ask(1, of_port(i), 0), Asked::now);
  EXPECT_EQ(questions.ask(1, of_port(443), second), Asked::no_room);
  EXPECT_EQ(questions.ask(1, of_port(443), second + 1), Asked::now);
}

TEST(PortQuestions, AnAnswerStandsAsLongAsItsQuestion) {
  PortQuestions questions;
  EXPECT_EQ(questions.ask(1, of_port(443), 0), Asked::now);
  EXPECT_EQ(questions.answer(1, of_port(443), 0), nullptr);
  questions.answered(Event{7, 5, {}}, answer_of(1, 443));
  questions.answered(Event{8, 6, {}}, answer_of(1, 443));
  const auto* answer = questions.answer(1, of_port(443), second);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->id, 7U) << "the first one";
  EXPECT_EQ(questions.answer(1, of_port(80), second), nullptr);
  EXPECT_EQ(questions.answer(1, of_port(443), second + 1), nullptr);
}

}  // namespace
}  // namespace tcpwitness

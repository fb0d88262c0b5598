// SPDX-License-Identifier: Apache-2.0
// Which connections are wanted, and from when on that is certain.
#include "correlate/selection.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

Connection of_process(std::uint32_t pid, PidSource source) {
  Connection c;
  c.owner.pid = pid;
  c.owner.source = source;
  return c;
}

TEST(Selection, WantsAllWithoutConditions) {
  const CorrelatorSettings settings;
  const Listeners listeners;
  const Selection selection(settings, listeners);
  EXPECT_FALSE(selection.any());
  EXPECT_TRUE(selection.wants(Connection{}));
  EXPECT_TRUE(selection.wants_alone(Flow{}));
}

TEST(Selection, OfAListenersChildIsOpenUntilItIsUsed) {
  CorrelatorSettings settings;
  settings.pid = 7;
  const Listeners listeners;
  const Selection selection(settings, listeners);
  const Connection child = of_process(7, PidSource::listen);
  EXPECT_TRUE(selection.wants(child));
  EXPECT_FALSE(selection.is_final(child));
  EXPECT_TRUE(selection.is_final(of_process(7, PidSource::receive)));
  EXPECT_FALSE(selection.wants(of_process(8, PidSource::receive)));
}

TEST(Selection, OfNoConnectionWantsWhatConcernsAListenerOfTheProcess) {
  CorrelatorSettings settings;
  settings.pid = 7;
  Listeners listeners;
  Owner server;
  server.pid = 7;
  Flow flow;
  flow.local.port = 80;
  listeners.opened(1, flow.local, server, 0);
  const Selection selection(settings, listeners);
  EXPECT_TRUE(selection.wants_alone(flow));
  flow.local.port = 81;
  EXPECT_FALSE(selection.wants_alone(flow));
}

TEST(Selection, OneFormOfAnAddressIsEnoughAndBothMustMeetOneThatExcludes) {
  CorrelatorSettings settings;
  Connection c;
  c.flow.remote.port = 8080;
  Flow translated = c.flow;
  translated.remote.port = 80;
  c.set_nat(translated);
  const Listeners listeners;
  settings.of_flow = [](const Flow& flow) { return flow.remote.port == 80; };
  EXPECT_TRUE(Selection(settings, listeners).wants(c));
  settings.of_flow = [](const Flow& flow) { return flow.remote.port != 80; };
  settings.flow_excludes = true;
  EXPECT_FALSE(Selection(settings, listeners).wants(c));
}

// A process number can be another one's later.
TEST(Selection, AsksOfAProcessOnce) {
  CorrelatorSettings settings;
  bool asked_for = true;
  settings.of_process = [&](const Process&) { return asked_for; };
  const Listeners listeners;
  const Selection selection(settings, listeners);
  Connection c = of_process(7, PidSource::send);
  selection.ask_of(c.owner);
  asked_for = false;
  EXPECT_TRUE(selection.wants(c));
  EXPECT_FALSE(selection.wants(of_process(8, PidSource::send)));
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
//
// The lab's third machine, a router in the middle of the cable, traced with --forwarded: what passes it is a life of
// two hops, by the segments alone. tests/field has routers that translate, drop, refuse and bridge, with real programs.

#include "live/courses.hpp"
#include "live/situation.hpp"

namespace tcpwitness::live {
namespace {

class ForwardedLive : public Live {
 protected:
  // A case of the lab with the third machine in it, as a tracer there has it.
  std::optional<Printed> middle(const std::string& name, std::vector<std::string> arguments = {"--forwarded"}) {
    std::optional<Watch> watch;
    Play how;
    how.when_ready = [&](const lab::Played&) {
      if (lab().third_machine() == nullptr) return;
      watch = Watch::start(lab().third_machine()->name(), std::move(arguments));
      if (!watch) return;
      if (auto ready = watch->run().wait_ready(); !ready) ADD_FAILURE() << ready.error();
    };
    how.when_played = [] { lab::pause_for(Millis(300)); };
    const auto story = play(name, how);
    if (!story || !watch) {
      ADD_FAILURE() << name << " was not traced in the middle";
      return std::nullopt;
    }
    played_ = story->played;
    return keep("in the middle", watch->stop());
  }
  // Of the case's own connection.
  [[nodiscard]] Json life(const Printed& printed) const { return printed.life(played_.client_at, played_.server_at); }

  lab::Played played_;
};

TEST_F(ForwardedLive, ARoutedConnectionIsOneLifeOfTwoHops) {
  const auto printed = middle("reset-routed");
  if (!printed) return;
  const Json found = life(*printed);
  ASSERT_FALSE(found.is_null());
  EXPECT_EQ(found["witnesses"], Json({"wire"}));
  EXPECT_TRUE(found["pid"].is_null());
  EXPECT_EQ(found["outcome"], "reset-by-peer");
  ASSERT_TRUE(found.contains("forwarded"));
  EXPECT_EQ(found["forwarded"]["joined"], true);
  ASSERT_EQ(found["forwarded"]["hops"].size(), 2U);
  const Json& client = found["forwarded"]["hops"][0];
  const Json& server = found["forwarded"]["hops"][1];
  EXPECT_EQ(client["interface"], lab::third_link_to_client);
  EXPECT_EQ(server["interface"], lab::third_link_to_server);
  EXPECT_EQ(client["in"], server["out"]);
  EXPECT_EQ(client["out"], server["in"]);
  EXPECT_EQ(server["in"]["rst"], 1);
  const auto findings = printed->findings(found["conn"]);
  EXPECT_EQ(findings, (std::set<std::string>{"reset-origin likely"})) << digest(*printed);
  for (const Json& segment : printed->of("segment", found["conn"])) EXPECT_EQ(segment["hook"], "forwarded");
}

TEST_F(ForwardedLive, WithoutTheOptionItIsQuiet) {
  const auto printed = middle("reset-routed", {});
  if (!printed) return;
  EXPECT_TRUE(printed->of("life").empty());
  EXPECT_TRUE(printed->of("segment").empty());
}

TEST_F(ForwardedLive, WhatItsFirewallRefusesWasDroppedThere) {
  const auto printed = middle("unreachable");
  if (!printed) return;
  const Json found = life(*printed);
  ASSERT_FALSE(found.is_null());
  EXPECT_TRUE(printed->findings(found["conn"]).contains("forward-dropped certain")) << digest(*printed);
  EXPECT_GE(found["forwarded"]["lost_to_server"], 1);
  EXPECT_EQ(found["forwarded"]["joined"], false);
}

TEST_F(ForwardedLive, OneDirectionAloneIsAnAsymmetricRoute) {
  const auto printed = middle("asymmetric-route");
  if (!printed) return;
  const Json found = life(*printed);
  ASSERT_FALSE(found.is_null());
  EXPECT_EQ(printed->findings(found["conn"]), (std::set<std::string>{"asymmetric-route likely"})) << digest(*printed);
  EXPECT_EQ(found["tx_bytes"], 0);
  EXPECT_GT(found["rx_bytes"], 0);
}

}  // namespace
}  // namespace tcpwitness::live

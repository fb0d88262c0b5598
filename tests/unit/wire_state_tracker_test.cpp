// SPDX-License-Identifier: Apache-2.0
// RFC 9293's state diagram (section 3.3.2), inferred from segments: each of its paths.
#include <gtest/gtest.h>

#include <string>

#include "unit/wire_talk.hpp"
#include "wire/acceptance.hpp"
#include "wire/state_tracker.hpp"

namespace tcpwitness::testing {
namespace {

class Watched {
 public:
  Watched& say(const Say& s) {
    const SeenSegment g = talk_.segment(s);
    const Acceptance::Answer answer = acceptance_.observe(g, s.side);
    if (answer.refused) return *this;
    if (answer.resumed) take(tracker_.resume());
    take(tracker_.observe(g, s.side));
    return *this;
  }
  void take(const StateTracker::Transitions& reported) {
    for (unsigned i = 0; i < reported.count; ++i) {
      std::string& states = states_[reported.list[i].side];
      states += (states.empty() ? "" : " ") + std::string(name(reported.list[i].to));
    }
  }
  Watched& shake() { return say({0, 0, 0, 0, syn_flag}).say({1, 0, 1, 0, syn_flag | ack_flag}).say({0, 1, 1}); }
  [[nodiscard]] std::string local() const { return states_[0]; }
  [[nodiscard]] std::string peer() const { return states_[1]; }
  [[nodiscard]] bool over() const { return tracker_.over(); }

 private:
  Talk talk_;
  Acceptance acceptance_;
  StateTracker tracker_;
  std::string states_[2];
};

TEST(StateTracker, TheOneWhoClosesFirstWaits) {
  Watched w;
  w.shake().say({0, 1, 1, 0, fin_ack}).say({1, 1, 2}).say({1, 1, 2, 0, fin_ack});
  EXPECT_FALSE(w.over());
  w.say({0, 2, 2});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE");
  EXPECT_TRUE(w.over());
}

TEST(StateTracker, ThePeerClosesFirst) {
  Watched w;
  w.shake().say({1, 1, 1, 10, fin_ack}).say({0, 1, 12, 0, fin_ack}).say({1, 12, 2});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
  EXPECT_TRUE(w.over());
}

TEST(StateTracker, APeersFinThatIsNotTakenClosesNothing) {
  Watched w;
  w.shake().say({1, 1, 1, 0, fin_ack}).say({0, 1, 1, 0, fin_ack}).say({1, 2, 2});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED CLOSE_WAIT CLOSING");
  w.say({0, 2, 2});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED CLOSE_WAIT CLOSING TIME_WAIT");
}

TEST(StateTracker, FinsThatCrossMeanClosing) {
  Watched w;
  w.shake().say({0, 1, 1, 0, fin_ack}).say({1, 1, 1, 0, fin_ack}).say({0, 2, 2}).say({1, 2, 2});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED CLOSE_WAIT CLOSING TIME_WAIT");
  EXPECT_TRUE(w.over());
}

TEST(StateTracker, AFinThatAcknowledgesTheOtherDoesNotCrossIt) {
  Watched w;
  w.shake().say({0, 1, 1, 0, fin_ack}).say({1, 1, 2, 0, fin_ack}).say({0, 2, 2});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
}

TEST(StateTracker, SynsThatCrossOpenTogether) {
  Watched w;
  w.say({0, 0, 0, 0, syn_flag}).say({1, 0, 0, 0, syn_flag});
  w.say({0, 0, 1, 0, syn_flag | ack_flag}).say({1, 0, 1, 0, syn_flag | ack_flag});
  EXPECT_EQ(w.local(), "SYN_SENT SYN_RECV ESTABLISHED");
  EXPECT_EQ(w.peer(), "SYN_SENT SYN_RECV ESTABLISHED");
}

TEST(StateTracker, ARefusedSynEndsInClose) {
  Watched w;
  w.say({0, 0, 0, 0, syn_flag}).say({1, 0, 1, 0, rst_ack});
  EXPECT_EQ(w.local(), "SYN_SENT CLOSE");
  EXPECT_EQ(w.peer(), "");
  EXPECT_TRUE(w.over());
}

TEST(StateTracker, ARstThatDoesNotAcknowledgeTheSynIsNotBelieved) {
  Watched w;
  w.say({0, 0, 0, 0, syn_flag}).say({1, 0, 0, 0, rst_ack});
  EXPECT_EQ(w.local(), "SYN_SENT");
  w.say({1, 0, 1, 0, syn_flag | ack_flag}).say({0, 1, 1});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED");
}

TEST(StateTracker, ARstBeforeWhatWasAcknowledgedIsNotBelieved) {
  Watched w;
  w.shake().say({1, 1, 1, 100}).say({0, 1, 101}).say({1, 100, 1, 0, rst_flag});
  EXPECT_FALSE(w.over());
  w.say({1, 101, 1, 0, rst_flag});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED CLOSE");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED CLOSE");
}

TEST(StateTracker, ARequestMayBeResetOrClosedBeforeItIsOpen) {
  Watched reset;
  reset.say({0, 0, 0, 0, syn_flag}).say({1, 0, 1, 0, syn_flag | ack_flag}).say({0, 1, 0, 0, rst_flag});
  EXPECT_EQ(reset.local(), "SYN_SENT CLOSE");
  EXPECT_EQ(reset.peer(), "NEW_SYN_RECV CLOSE");
  Watched closed;
  closed.say({0, 0, 0, 0, syn_flag}).say({1, 0, 1, 0, syn_flag | ack_flag}).say({1, 1, 1, 0, fin_ack});
  EXPECT_EQ(closed.peer(), "NEW_SYN_RECV FIN_WAIT1");
}

TEST(StateTracker, AMidstreamCaptureBeginsWithTheStateThatASegmentNeeds) {
  Watched w;
  w.say({0, 500, 700, 10});
  EXPECT_EQ(w.local(), "ESTABLISHED");
  EXPECT_EQ(w.peer(), "");  // nothing seen yet
  w.say({1, 700, 510}).say({1, 700, 510, 0, fin_ack}).say({0, 510, 701, 0, fin_ack}).say({1, 701, 511});
  EXPECT_EQ(w.local(), "ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE");
  EXPECT_EQ(w.peer(), "ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
}

TEST(StateTracker, ACaptureThatBeginsWithTheSynAckKnowsThatThereWasASyn) {
  Watched w;
  w.say({1, 0, 1, 0, syn_flag | ack_flag}).say({0, 1, 1});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED");
}

TEST(StateTracker, OneDirectionProvesItsOwnStatesOnly) {
  Watched w;
  w.say({0, 0, 0, 0, syn_flag}).say({0, 1, 1}).say({0, 1, 1, 100}).say({0, 101, 1, 0, fin_ack});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED FIN_WAIT1");
  EXPECT_EQ(w.peer(), "");
  EXPECT_FALSE(w.over());
  Watched server;
  server.say({1, 0, 1, 0, syn_flag | ack_flag}).say({1, 1, 1, 100}).say({1, 101, 1, 0, fin_ack});
  EXPECT_EQ(server.peer(), "NEW_SYN_RECV ESTABLISHED FIN_WAIT1");
  EXPECT_EQ(server.local(), "SYN_SENT ESTABLISHED CLOSE_WAIT");  // its ACK must have come
}

TEST(StateTracker, AFinSentAgainChangesNothing) {
  Watched w;
  w.shake().say({0, 1, 1, 0, fin_ack}).say({0, 1, 1, 0, fin_ack}).say({0, 1, 1, 0, fin_ack});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED FIN_WAIT1");
}

TEST(StateTracker, WhereTheReceiverOfARstGoesOnItWasNotTaken) {
  Watched w;
  w.shake().say({1, 500, 1, 0, rst_flag});
  EXPECT_TRUE(w.over());
  w.say({1, 1, 1, 100, fin_ack}).say({0, 1, 102});
  EXPECT_FALSE(w.over());
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED CLOSE CLOSE_WAIT");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED CLOSE FIN_WAIT1 FIN_WAIT2");
}

TEST(StateTracker, NothingFollowsTheEnd) {
  Watched w;
  w.shake().say({0, 1, 1, 0, rst_flag}).say({1, 1, 1, 100}).say({0, 0, 0, 0, syn_flag});
  EXPECT_EQ(w.local(), "SYN_SENT ESTABLISHED CLOSE");
  EXPECT_EQ(w.peer(), "NEW_SYN_RECV ESTABLISHED CLOSE");
}

}  // namespace
}  // namespace tcpwitness::testing

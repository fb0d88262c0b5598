// SPDX-License-Identifier: Apache-2.0
// wording_test.cpp: the sentence of a finding is made of its arguments, and of nothing else.
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

#include "tcpwitness/finding.hpp"

namespace tcpwitness {
namespace {

Finding found(Rule rule, Arguments arguments) {
  return {.rule = rule, .confidence = Confidence::likely, .arguments = std::move(arguments), .evidence = {7}};
}

// Each kind as it is when a rule fills in nothing: what is not known has words, too.
template <std::size_t kind = 1>
void each_kind_says_something() {
  if constexpr (kind < std::variant_size_v<AnyArguments>) {
    using Found = std::variant_alternative_t<kind, AnyArguments>;
    // A finding has an amount: one window, direction or segment at least.
    constexpr bool may_be_silent =
        std::is_same_v<Found, arguments::ZeroWindow> || std::is_same_v<Found, arguments::Retransmission> ||
        std::is_same_v<Found, arguments::PeerRetransmission> ||
        std::is_same_v<Found, arguments::ForwardedRetransmission> || std::is_same_v<Found, arguments::RxDropped> ||
        std::is_same_v<Found, arguments::BytesDisagree> || std::is_same_v<Found, arguments::ForwardDropped> ||
        std::is_same_v<Found, arguments::OwnWords>;
    Found nothing{};
    if constexpr (std::is_same_v<Found, arguments::DelayedAckStall>) nothing.writes = 1;
    const std::string text = sentence(found(Rule::late, std::move(nothing)));
    EXPECT_EQ(text.empty(), may_be_silent) << "kind " << kind << ": " << text;
    EXPECT_FALSE(text.ends_with('.')) << text;
    each_kind_says_something<kind + 1>();
  }
}

TEST(Wording, EachKindOfArgumentsHasItsWords) { each_kind_says_something(); }

TEST(Wording, WithoutArgumentsThereIsNoSentence) { EXPECT_EQ(sentence(found(Rule::late, {})), ""); }

TEST(Wording, ARuleOfOnesOwnWordsItself) {
  Finding own = found(Rule::late, arguments::OwnWords{"it was late"});
  own.peer = PeerEnd{.conn = 3, .pid = 80, .comm = "nginx"};
  EXPECT_EQ(sentence(own), "it was late");
}

TEST(Wording, TheOtherEndIsNamedBehindIt) {
  Finding dead = found(
      Rule::path_dead,
      arguments::PathDead{
          .silence_ns = 3'000'000'000, .idle_ns = 1'000'000'000, .tries = 3, .given_up = true, .error = ETIMEDOUT});
  const std::string alone = sentence(dead);
  EXPECT_TRUE(alone.ends_with("until the kernel gave up (ETIMEDOUT)")) << alone;
  dead.peer = PeerEnd{.conn = 3, .pid = 80, .comm = "nginx"};
  EXPECT_EQ(sentence(dead), alone + "; the other end is nginx[80]");
  dead.peer->pid = 0;
  EXPECT_EQ(sentence(dead), alone) << "its process is not known";
}

// Instead of its name, the other end's own finding: by then its connection can be gone.
TEST(Wording, TheOtherEndsOwnFindingSaysWhy) {
  Finding window =
      found(Rule::zero_window,
            arguments::ZeroWindow{.peer = arguments::ClosedWindow{.closed_ns = 2'000'000'000, .periods = 1},
                                  .peer_process = {.pid = 80, .comm = "nginx"}});
  window.peer = PeerEnd{.conn = 3, .pid = 80, .comm = "nginx"};
  const std::string alone = sentence(window);
  EXPECT_EQ(alone, "the receive window of nginx[80] was closed for 2 s, 0 zero-window probes")
      << "it is not named twice";
  Finding why = found(
      Rule::slow_accept,
      arguments::SlowAccept{.process = {.pid = 80, .comm = "nginx"}, .unaccepted = true, .waited_ns = 5'000'000'000});
  window.because = {why};
  const std::string words = "5 s after the handshake nginx[80] had not accepted the connection";
  EXPECT_EQ(sentence(window), alone + "; at the other end, probably: " + words);
  window.because.front().confidence = Confidence::certain;
  EXPECT_EQ(sentence(window), alone + "; at the other end: " + words);
}

TEST(Wording, ReasonsOfTheKernelStandBehindTheirMeaning) {
  const arguments::DropReason unknown{.kind = DropKind::other, .name = "NEW_REASON", .count = 1};
  const arguments::DropReason firewall{.kind = DropKind::firewall, .name = "NETFILTER_DROP", .count = 2};
  const Finding dropped =
      found(Rule::tx_not_sent,
            arguments::TxNotSent{.dropped = {.segments = 3, .bytes = 100, .reasons = {firewall, unknown}}});
  EXPECT_EQ(sentence(dropped),
            "3 segments with 100 bytes that TCP sent never left this machine: dropped by netfilter, the "
            "kernel's firewall (NETFILTER_DROP); NEW_REASON");
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// sink_story.cpp: a story's words for each situation, what it sums up, and what it leaves out and counts.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "golden/reports.hpp"
#include "sink/views/story.hpp"
#include "unit/says.hpp"
#include "unit/sink_capture.hpp"
#include "unit/stories.hpp"
#include "unit/wire_talk.hpp"

namespace tcpwitness {
namespace {

using namespace tcpwitness::testing;

std::string text_of(const Reports& reports, const TextStyle& style = {.width = 400}) {
  return test::captured([&](Output& output) { return make_story_text(output, kernel_names(), style); }, reports);
}

std::string story_of(const std::vector<Event>& events, CorrelatorSettings settings = trace_settings()) {
  return text_of(run(events, std::move(settings)).reports);
}

// Each of these is in the text, in this order.
void expect_reported(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    const std::size_t found = text.find(part, at);
    EXPECT_NE(found, std::string::npos) << "'" << part << "' is not in (or not in this order)\n" << text;
    if (found != std::string::npos) at = found + part.size();
  }
}

TEST(Story, AHandshakeAndAnOrderlyCloseAreTold) {
  const std::string text = story_of(close_first_story().events);
  expect_reported(
      text,
      {"#1  10.0.0.1:40000 -> 10.0.0.2:80  curl[42]", "completed", "called connect() to 10.0.0.2:80",
       "; its SYN was sent through eth0", "The peer's SYN-ACK came in", "after the SYN; processed",
       "the connection is established", "its ACK was sent",
       "curl[42] closed the connection: this side closes first; its FIN was sent", "; the peer acknowledged it",
       "(FIN_WAIT2)", "The peer's FIN came in; this side acknowledged it", " later and waits in TIME_WAIT (inferred)",
       "completed after", "delivered 50 bytes, received 70", "time-wait (certain): curl[42] closed first"});
  EXPECT_FALSE(text.contains("this side sent 50 bytes")) << "the life's line has it";
}

// Its first one began another connection, which the client's host reset.
TEST(Story, ASynThatCameAgainIsNotTimedAgainstItself) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S, 0, TW_EVENT_RETRANSMISSION);
  stream.wait(3 * s);
  c.in(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.peer_isn(); });
  const std::string text = story_of(stream.events);
  expect_reported(text, {"The peer's SYN came in again.", "The peer's SYN came in again 3.00 s after the first one."});
}

// Two hosts have the address: each answers the SYN, with a number of its own.
TEST(Story, ASynAckWithAnotherNumberIsNoRepetition) {
  for (const std::uint32_t beside : {0U, 1000U}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(SA, 0, beside == 0 ? TW_EVENT_RETRANSMISSION : 0, [&](Segment& g) {
      g.seq = c.peer_isn() + beside;
      g.ack = c.isn() + 1;
    });
    const std::string text = story_of(stream.events);
    EXPECT_EQ(text.contains("The peer's SYN-ACK came in again"), beside == 0) << text;
    EXPECT_EQ(text.contains("Another SYN-ACK came in from the peer's address, with another initial number"),
              beside != 0);
  }
}

std::size_t sentences_of(const std::string& story) {
  std::size_t count = 0;
  for (std::size_t at = story.find("  +"); at != std::string::npos; at = story.find("  +", at + 1)) ++count;
  return count;
}

TEST(Story, AHealthyConnectionHasAtMostFiveSentences) {
  for (const Story& story : {close_first_story(), close_second_story()}) {
    const std::string text = story_of(story.events);
    EXPECT_LE(sentences_of(text), 5U) << text;
  }
}

TEST(Story, APassiveConnectionWaitsForAccept) {
  const std::string text = story_of(close_second_story().events);
  expect_reported(text, {"10.0.0.2:80 <- 10.0.0.1:40000", "The peer's SYN came in on eth0",
                         "; a request socket was created (NEW_SYN_RECV, inferred)", "; the SYN-ACK was sent",
                         "the connection is established and waits for accept()",
                         "the peer closes first, and this side can still send (CLOSE_WAIT)", "nginx[",
                         "after the peer's FIN: this side closes too; its FIN was sent", "both sides have closed"});
}

TEST(Story, ARefusalNamesTheRstAndTheError) {
  const std::string text = story_of(refused_story().events);
  expect_reported(text, {"refused", "; its SYN was sent", "A RST came in (TTL 64)", "the connection is refused",
                         "curl[42] gets ECONNREFUSED: \"Connection refused\".", "refused after"});
}

TEST(Story, UnansweredSynsAreToldWithTheKernelsReason) {
  const std::string text = story_of(no_answer_story().events);
  expect_reported(
      text, {"; its SYN was sent through eth0", "The SYN was retransmitted",
             "after the first one: no answer reached TCP", "The SYN was retransmitted", "The SYN was retransmitted",
             "The kernel gave up: no answer", "gets ETIMEDOUT", "The SYN was retransmitted 3 times"});
}

// TCP refuses an answer that does not fit, and sends its SYN again at once.
TEST(Story, ASynThatDoesNotWaitForItsTimerIsNoTimeout) {
  const auto story = [](std::int64_t pause) {
    Stream stream;
    Side c = client_of(stream);
    c.extra.rto_us = 1'000'000;
    c.to(State::syn_sent, curl);
    c.out(S);
    sends_syn_again(c, pause, 0, 0, true);
    connect_times_out(c);
    return story_of(stream.events);
  };
  expect_reported(story(300 * ms), {"after the first one: sooner than its timer of 1 s"});
  expect_reported(story(1 * s), {"after the first one: no answer reached TCP within 1 s"});
}

TEST(Story, ADropSaysWhoDroppedWhat) {
  expect_reported(story_of(ignored_story().events), {"The peer's SYN-ACK came in",
                                                     "The kernel dropped the peer's SYN-ACK after it came in: dropped "
                                                     "by netfilter, the kernel's firewall (NETFILTER_DROP)",
                                                     "connect-ignored"});
  expect_reported(story_of(unsent_story().events),
                  {"The kernel dropped the SYN before it left", "but netfilter dropped it", "connect-unsent"});
}

// The kernel's word for a repeated segment is "dropped", and nothing was lost.
TEST(Story, WhatCameTwiceIsNoDrop) {
  const std::string text = story_of(rx_drop_story(drop_old_data).events);
  EXPECT_FALSE(text.contains("The kernel dropped")) << text;
  expect_reported(
      story_of(rx_drop_story(drop_netfilter).events),
      {"The kernel dropped 20 bytes of the peer's data (from sequence number 1) after it came in: dropped by "
       "netfilter"});
}

TEST(Story, ADescriptorThatIsStillOpenIsTold) {
  golden::Story story(1, golden::flow("10.0.0.1", 4000, "10.0.0.2", 80), 1, golden::midnight);
  const Process process = golden::process(7, "leaky", PidSource::accept);
  story.add(0, OwnerEntry{.process = process}).add(1000, OwnerEntry{.process = process, .fd = 19});
  story.tell(Life{.conn = 1, .start_ts_ns = golden::midnight, .ts_ns = story.now()});
  expect_reported(text_of(story.reports), {"leaky[7] accepted the connection.", "leaky[7] still has fd 19 open."});
}

TEST(Story, AnAnsweredKeepaliveIsOneSentence) {
  const std::string text = story_of(keepalive_answered_story().events);
  expect_reported(text,
                  {"Keep-alive probe 1 of 3 was sent after 2 s of silence; without an answer the kernel gives up at",
                   "; the peer answered", "it is alive.", "Keep-alive probe 1 of 3 was sent"});
}

TEST(Story, AnUnansweredKeepaliveEndsInTheKernelsWord) {
  const std::string text = story_of(keepalive_death_story().events);
  expect_reported(text, {"probe 2 of 3 was sent, 1 before it unanswered",
                         "probe 3 of 3 was sent, 2 before it unanswered", "The RST was sent",
                         "declared the connection dead", "the kernel gave up", "ETIMEDOUT", "keepalive-timeout after"});
}

TEST(Story, AZeroWindowIsToldFromClosingToOpening) {
  const std::string text = story_of(zero_window_story().events);
  expect_reported(text, {"The peer closed its window: its process has not read what came", "300 bytes unsent",
                         "The peer opened its window again", "closed for 2.0"});
}

TEST(Story, AProcessThatDiesIsNamed) {
  expect_reported(story_of(killed_unread_story().events),
                  {"curl[42] was killed by SIGKILL, and its kernel closed the connection: it ends without a "
                   "FIN, in ESTABLISHED; the RST was sent",
                   "later: the process closed with unread data (TCP_ABORT_ON_CLOSE)."});
  expect_reported(story_of(killed_read_story().events), {"curl[42] was killed by SIGKILL", "this side closes first"});
}

TEST(Story, ARetransmissionHasTheKernelsReason) {
  expect_reported(story_of(retransmit_death_story().events),
                  {"10 bytes (from sequence number 1) were retransmitted: no acknowledgement reached TCP",
                   "(retransmission timeout)"});
}

TEST(Story, WhatTheWireDidNotShowIsSaid) {
  const std::string text = story_of(without<Segment>(close_first_story().events), [] {
    CorrelatorSettings settings = trace_settings();
    settings.has_wire = false;
    return settings;
  }());
  expect_reported(text, {"which was itself not seen", "the ACK itself was not seen", "(kernel only)"});
  EXPECT_FALSE(text.contains("was sent")) << text;
}

TEST(Story, TheWireAloneTellsOfClientAndServer) {
  const Reports reports = run(wire_alone(close_first_story().events), wire_settings()).reports;
  const std::string text = text_of(reports, {.width = 400, .wire_alone = true});
  expect_reported(text, {"10.0.0.1:40000 -> 10.0.0.2:80", "The client sent its SYN on eth0",
                         "The server sent its SYN-ACK", "; the client acknowledged it", "the handshake took",
                         "The client sent its FIN: it closes first", "the server acknowledged it",
                         "The server sent its FIN: both have closed", "sent 50 bytes, received 70 bytes"});
  EXPECT_FALSE(text.contains("process")) << text;
}

std::string story_of_capture(const std::vector<Say>& said) {
  Talk talk;
  Conversations conversations{ConversationSettings{}};
  std::vector<Event> events;
  for (const Say& one : said) conversations.observe(talk.frame(one), events);
  conversations.finish(events);
  CorrelatorSettings settings = wire_settings();
  settings.capture = true;
  return text_of(run(events, std::move(settings)).reports, {.width = 400, .wire_alone = true});
}

TEST(Story, FinsOfWhichNeitherAcknowledgesTheOtherHaveCrossed) {
  const auto story = [](std::uint32_t acked) {
    return story_of_capture({{0, 0, 0, 0, syn_flag},
                             {1, 0, 1, 0, syn_ack},
                             {0, 1, 1},
                             {0, 1, 1, 0, fin_ack},
                             {1, 1, acked, 0, fin_ack},
                             {0, 2, 2},
                             {1, 2, 2}});
  };
  expect_reported(story(1),
                  {"The client sent its FIN", "The server sent its FIN: the two crossed, and both have closed"});
  EXPECT_FALSE(story(2).contains("crossed")) << story(2);
}

TEST(Story, OfAnotherClocksTimeNothingIsSaid) {
  const auto story = [](int off_ms) {
    return story_of_capture({{0, 0, 0, 0, syn_flag},
                             {1, 0, 1, 0, syn_ack, 1000, 10 + off_ms},
                             {0, 1, 1, 0, ack_flag, 1000, 10 - off_ms},
                             {0, 1, 1, 10}});
  };
  expect_reported(story(0), {"SYN-ACK 10 ms after the SYN", "the client acknowledged it 10 ms later"});
  for (const int off_ms : {1'000'000'000, -5'000}) {
    const std::string text = story(off_ms);
    EXPECT_FALSE(text.contains("after the SYN")) << text;
    EXPECT_EQ(text.contains("acknowledged it, with an earlier timestamp"), off_ms > 0) << text;
    EXPECT_FALSE(text.contains("took 0 s")) << text;
  }
}

// Only the segment of the RST that the kernel has reported goes on with its sentence.
TEST(Story, ASecondRstIsASentenceOfItsOwn) {
  Stream stream;
  Side c = client_of(stream);
  c.out(S);
  c.in(SA);
  c.out(A);
  c.out(R);
  c.out(R);
  const Reports reports = run(wire_alone(stream.events), wire_settings()).reports;
  const std::string text = text_of(reports, {.width = 400, .wire_alone = true});
  EXPECT_FALSE(text.contains("; the RST was sent")) << text;
}

TEST(Story, AGapIsToldWhereItFalls) {
  std::vector<Event> events = close_first_story().events;
  const TimeNs at = events[events.size() / 2].ts_ns;
  events.insert(events.begin() + static_cast<std::ptrdiff_t>(events.size() / 2), Event{0, at, Gap{7, 0, at, at}});
  const std::string text = story_of(events);
  expect_reported(text, {"called connect()", "7 events of this machine were lost here", "completed"});
  EXPECT_TRUE(text.contains("(inconclusive)")) << text;
}

TEST(Story, AGapOfAnotherTimeIsNot) {
  Reports reports = run(close_first_story().events).reports;
  const Life life = run(close_first_story().events).life();
  reports.insert(reports.begin(), GapReport{0, Gap{7, 0, life.start_ts_ns - 20, life.start_ts_ns - 10}});
  EXPECT_FALSE(text_of(reports).contains("lost")) << text_of(reports);
}

// A connection with keep-alive probes that are all answered, and then a close.
std::vector<Event> many_probes(int count) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  for (int i = 0; i < count; ++i) {
    stream.wait(2 * s);
    sends_probe(c);
    c.in(A, 0, TW_EVENT_KEEPALIVE_ACK);
  }
  closes_first(c, curl);
  return stream.events;
}

TEST(Story, RepetitionsAreSummedUp) {
  const std::string text = story_of(many_probes(500));
  expect_reported(text, {"Keep-alive probe 1 of 3", "Keep-alive probe 1 of 3", "Keep-alive probe 1 of 3",
                         "497 more keep-alive probes were sent, each of them answered, the last at +1000.0",
                         "closed the connection"});
  EXPECT_LT(test::lines_of(text).size(), 20U) << text;
}

// Events that differ so that nothing is summed up.
Reports long_story(int rounds) {
  golden::Story story(1, golden::flow("10.0.0.1", 4000, "10.0.0.2", 80), 1, golden::midnight);
  for (int i = 0; i < rounds; ++i) {
    story.add(1000,
              DropEntry{.out = false, .reason = "NETFILTER_DROP", .rel_seq = 1, .len = 9, .flags = tcp_flag::ack});
    story.add(1000, ErrorEntry{.icmp = {.error = 113}});
  }
  story.tell(Life{.conn = 1, .start_ts_ns = golden::midnight, .ts_ns = story.now()});
  return story.reports;
}

TEST(Story, OfALongStoryTheBeginningAndTheEndAreKept) {
  Stories stories(kernel_names(), false, false);
  std::vector<Sentence> sentences;
  for (const Report& report : long_story(100)) {
    if (const auto* entry = std::get_if<Entry>(&report)) stories.take(*entry);
    if (const auto* life = std::get_if<Life>(&report)) sentences = stories.end(*life);
  }
  ASSERT_EQ(sentences.size(), 61U);
  EXPECT_EQ(sentences[40].text, "... 140 more events");
  EXPECT_EQ(sentences[0].id, 1U);
  EXPECT_EQ(sentences[39].id, 40U);
  EXPECT_EQ(sentences[41].id, 181U);
  EXPECT_EQ(sentences[60].id, 200U);
  EXPECT_EQ(stories.bytes(), 0U);
}

TEST(Story, AShortOneIsWhole) {
  Stories stories(kernel_names(), false, false);
  for (const Report& report : long_story(30)) {
    if (const auto* entry = std::get_if<Entry>(&report)) stories.take(*entry);
    if (const auto* life = std::get_if<Life>(&report)) {
      EXPECT_EQ(stories.end(*life).size(), 60U);
    }
  }
}

TEST(Story, AllStoriesTogetherHaveABudget) {
  Stories stories(kernel_names(), false, false, {.bytes = 1000});
  std::size_t reported = 0;
  std::uint64_t no_room = 0;
  Life life{.conn = 1, .start_ts_ns = golden::midnight};
  for (const Report& report : long_story(30)) {
    if (const auto* entry = std::get_if<Entry>(&report)) stories.take(*entry);
    EXPECT_LE(stories.bytes(), 1000U);
  }
  for (const Sentence& sentence : stories.end(life)) {
    sentence.text.contains("were not kept") ? no_room += sentence.events : reported += sentence.events;
  }
  EXPECT_GT(reported, 0U);
  EXPECT_GT(no_room, 0U);
  EXPECT_EQ(reported + no_room, 60U);
  EXPECT_EQ(stories.bytes(), 0U);
}

TEST(Story, WhatComesAfterTheLifeIsNotGathered) {
  Stories stories(kernel_names(), false, false);
  const Reports reports = long_story(1);
  stories.take(std::get<Entry>(reports[0]));
  EXPECT_EQ(stories.end(Life{.conn = 1}).size(), 1U);
  stories.take(std::get<Entry>(reports[1]));
  EXPECT_EQ(stories.bytes(), 0U);
}

TEST(Story, EverySentenceHasATimeThatNeverRunsBack) {
  for (const Story& story : all_stories()) {
    Stories stories(kernel_names(), false, false);
    for (const Report& report : run(story.events, trace_settings()).reports) {
      if (const auto* entry = std::get_if<Entry>(&report)) stories.take(*entry);
      const auto* life = std::get_if<Life>(&report);
      if (life == nullptr) continue;
      std::int64_t last = 0;
      for (const Sentence& sentence : stories.end(*life)) {
        EXPECT_GE(sentence.offset_ns, last) << story.name << ": " << sentence.text;
        EXPECT_FALSE(sentence.text.empty()) << story.name;
        EXPECT_FALSE(sentence.text.contains(until_mark)) << story.name;
        last = sentence.offset_ns;
      }
      EXPECT_EQ(stories.bytes(), 0U) << story.name;
    }
  }
}

TEST(Story, LinesWrapAtTheTerminalsWidth) {
  for (const unsigned width : {0U, 40U, 60U, 80U, 120U}) {
    for (const Story& story : all_stories()) {
      const std::string text = text_of(run(story.events, trace_settings()).reports, {.width = width});
      for (const std::string& line : test::lines_of(text)) {
        EXPECT_LE(line.size(), width == 0 ? 80 : width) << line;
        EXPECT_FALSE(line.ends_with(' ')) << line;
      }
    }
  }
}

TEST(Story, JsonHasTheStoryInTheLife) {
  const std::string text =
      test::captured([&](Output& output) { return make_story_json(output, kernel_names(), false); },
                     run(close_first_story().events, trace_settings()).reports);
  std::vector<nlohmann::json> lives;
  for (const std::string& line : test::lines_of(text)) {
    const auto object = nlohmann::json::parse(line);
    EXPECT_TRUE(object["type"] == "life" || object["type"] == "finding") << line;
    if (object["type"] == "life") lives.push_back(object);
  }
  ASSERT_EQ(lives.size(), 1U);
  EXPECT_FALSE(lives[0]["explanation"].get<std::string>().empty());
  const auto& story = lives[0]["story"];
  ASSERT_EQ(story.size(), 4U);
  EXPECT_EQ(story[0]["offset_ns"], 0);
  EXPECT_EQ(story[0]["id"], 1);
  EXPECT_EQ(story[0]["text"], "curl[42] called connect() to 10.0.0.2:80; its SYN was sent through eth0.");
  EXPECT_EQ(lives[0]["meaning"], "both sides closed and both FINs were acknowledged");
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// One record for the ordinary events of a socket: what it stands for, and that nobody can tell the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "unit/digests.hpp"
#include "unit/sink_capture.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

using nlohmann::json;

std::vector<const SocketDigest*> digests_in(const std::vector<Event>& events) {
  std::vector<const SocketDigest*> found;
  for (const Event& event : events) {
    if (const auto* digest = std::get_if<SocketDigest>(&event.body)) found.push_back(digest);
  }
  return found;
}

std::string kinds(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) {
    if (const auto* change = std::get_if<StateChange>(&event.body)) {
      text += fmt::format("{}>{} ", name(static_cast<State>(change->old_state)),
                          name(static_cast<State>(change->new_state)));
    } else if (const auto* segment = std::get_if<Segment>(&event.body)) {
      text += fmt::format("{}:{} ", segment->hook == TW_HOOK_TC_EGRESS ? "out" : "in",
                          (segment->flags & rst) != 0   ? "RST"
                          : (segment->flags & fin) != 0 ? "FIN"
                          : (segment->flags & ack) != 0 ? "SYN-ACK"
                                                        : "SYN");
    } else if (std::holds_alternative<OwnerSeen>(event.body)) {
      text += "owner ";
    } else if (std::holds_alternative<SocketDestroyed>(event.body)) {
      text += "destroy ";
    } else if (std::holds_alternative<SocketDigest>(event.body)) {
      text += "digest ";
    } else {
      text += "other ";
    }
  }
  if (!text.empty()) text.pop_back();
  return text;
}

TEST(Digest, StandsForTheEventsOfTheSocketInTheirOrder) {
  for (const Story& story : {close_first_story(), close_second_story(), simultaneous_close_story()}) {
    const std::vector<Event> events = lives_only(story.events);
    const std::vector<Event> written = DigestWriter().write(events);
    ASSERT_EQ(digests_in(written).size(), 1U) << story.name;
    const std::vector<Event> again = expanded(written);
    EXPECT_EQ(kinds(again), kinds(events)) << story.name;
    ASSERT_EQ(again.size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(again[i].ts_ns, events[i].ts_ns) << story.name << " " << i;
      EXPECT_EQ(again[i].id, i + 1) << story.name;
    }
  }
}

TEST(Digest, GivesBackWhatItHeldOfATransitionAndOfASegment) {
  const std::vector<Event> events = lives_only(close_second_story().events);
  const std::vector<Event> again = expanded(DigestWriter().write(events));
  ASSERT_EQ(again.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (const auto* was = std::get_if<StateChange>(&events[i].body)) {
      const auto& is = std::get<StateChange>(again[i].body);
      EXPECT_EQ(is.header.cookie, was->header.cookie);
      EXPECT_EQ(is.header.netns, was->header.netns);
      EXPECT_EQ(is.cb.flags, was->cb.flags);
      EXPECT_EQ(is.cb.more, was->cb.more);
      EXPECT_EQ(is.cb.snd_una, was->cb.snd_una);
      EXPECT_EQ(is.cb.write_seq, was->cb.write_seq);
      EXPECT_EQ(is.cb.rcv_nxt, was->cb.rcv_nxt);
      EXPECT_EQ(is.cb.bytes_received, was->cb.bytes_received);
      EXPECT_EQ(is.actor.flags, was->actor.flags);
      EXPECT_EQ(is.actor.tgid, was->actor.tgid);
      EXPECT_EQ(to_flow(is.tuple), to_flow(was->tuple));
    }
    if (const auto* was = std::get_if<Segment>(&events[i].body)) {
      const auto& is = std::get<Segment>(again[i].body);
      EXPECT_EQ(is.header.cookie, was->header.cookie);
      EXPECT_EQ(is.header.kind, TW_KIND_SEGMENT);
      EXPECT_EQ(is.seq, was->seq);
      EXPECT_EQ(is.ack, was->ack);
      EXPECT_EQ(is.flags, was->flags);
      EXPECT_EQ(is.why, was->why & ~only_a_cause);
      EXPECT_EQ(is.ttl, was->ttl);
      EXPECT_EQ(is.segments, 1U);
      EXPECT_EQ(is.socket.type, was->socket.type);
      EXPECT_EQ(is.socket.rcv_nxt, was->socket.type == TW_SOCKET_LISTENER ? 0 : was->socket.rcv_nxt);
    }
    if (const auto* was = std::get_if<OwnerSeen>(&events[i].body)) {
      const auto& is = std::get<OwnerSeen>(again[i].body);
      EXPECT_EQ(is.actor.tgid, was->actor.tgid);
      EXPECT_EQ(is.source, was->source);
      EXPECT_EQ(is.fd, -1);
    }
  }
}

TEST(Digest, OfASocketThatGoesOnIsFollowedByItsOtherEvents) {
  const std::vector<Event> written = DigestWriter().write(lives_only(peer_reset_story().events));
  EXPECT_EQ(kinds(written), "digest in:RST other ESTABLISHED>CLOSE other destroy");
  EXPECT_EQ(digests_in(written).at(0)->destroyed, 0);
  EXPECT_EQ(events_in(*digests_in(written).at(0)), 4U);
}

// What another socket left in the slot is none of this one's.
TEST(Digest, LeavesOutWhatIsLeftOfAnotherSocket) {
  std::vector<Event> written = DigestWriter().write(lives_only(close_first_story().events));
  ASSERT_EQ(written.size(), 1U);
  auto& digest = std::get<SocketDigest>(written[0].body);
  const std::size_t all = events_in(digest);
  digest.held.segments[TW_HELD_SYN_ACK].cookie += 1;
  EXPECT_EQ(events_in(digest), all - 1);
  EXPECT_EQ(expanded(written).size(), all - 1);
}

TEST(Digest, TakesAsManyNumbersAsItStandsFor) {
  const std::vector<Event> written = DigestWriter().write(lives_only(close_first_story().events));
  const auto& digest = std::get<SocketDigest>(written.at(0).body);
  Decoder decoder(500);
  std::vector<Event> out;
  decoder.decode(std::as_bytes(std::span(&digest, 1)), out);
  decoder.decode(std::as_bytes(std::span(&digest, 1)), out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].id, 1U);
  EXPECT_EQ(out[1].id, 1U + events_in(digest));
  EXPECT_EQ(decoder.received(), 2 * events_in(digest));
  // The clock's offset goes for all times in it.
  const std::vector<Event> events = expanded({out[0]});
  ASSERT_EQ(events.size(), events_in(digest));
  EXPECT_EQ(events[0].ts_ns, static_cast<TimeNs>(digest.held.states[0].ts_ns) + 500);
  EXPECT_EQ(events.back().ts_ns, static_cast<TimeNs>(digest.header.ts_ns) + 500);
}

TEST(Digest, WithoutAnEventOrWithTooManyTransitionsIsMalformed) {
  tw_digest digest{};
  digest.header.version = TW_ABI_VERSION;
  digest.header.kind = TW_KIND_DIGEST;
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(std::as_bytes(std::span(&digest, 1)), out);
  digest.held.state_count = TW_HELD_STATES + 1;
  decoder.decode(std::as_bytes(std::span(&digest, 1)), out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(decoder.malformed(), 2U);
  digest.held.state_count = 1;
  decoder.decode(std::as_bytes(std::span(&digest, 1)), out);
  EXPECT_EQ(out.size(), 1U);
}

TEST(Digest, OfAMoreThanFourGigabyteTransferHasItsWholeAmounts) {
  std::vector<Event> events = lives_only(close_first_story().events);
  constexpr std::uint64_t much = 5'000'000'000;
  for (Event& event : events) {
    const auto more = [&](ControlBlock& cb) {
      cb.bytes_acked += much;
      cb.snd_una += static_cast<std::uint32_t>(much);
      cb.snd_nxt += static_cast<std::uint32_t>(much);
      cb.write_seq += static_cast<std::uint32_t>(much);
      cb.bytes_received += much;
      cb.rcv_nxt += static_cast<std::uint32_t>(much);
    };
    if (auto* change = std::get_if<StateChange>(&event.body);
        change != nullptr && static_cast<State>(change->old_state) != State::close &&
        static_cast<State>(change->old_state) != State::syn_sent) {
      more(change->cb);
    }
    if (auto* gone = std::get_if<SocketDestroyed>(&event.body)) more(gone->cb);
  }
  const Told whole = run(events);
  const Told told = run(DigestWriter().write(events));
  ASSERT_EQ(told.lives().size(), 1U);
  EXPECT_EQ(told.life().tx_bytes, much + 50);
  EXPECT_EQ(told.life().rx_bytes, much + 70);
  EXPECT_EQ(whole.life().tx_bytes, told.life().tx_bytes);
  EXPECT_EQ(whole.life().rx_bytes, told.life().rx_bytes);
}

// ---- Nobody can tell the difference ----

// Without numbers of events and connections: a digest's events have others than the ring's order would give them.
void strip(json& value) {
  if (value.is_object()) {
    for (const char* key : {"conn", "id", "evidence", "segment"}) value.erase(key);
    for (auto& [key, inner] : value.items()) strip(inner);
  } else if (value.is_array()) {
    for (json& inner : value) strip(inner);
  }
}

std::vector<std::string> words(const Told& told) {
  const Names& names = kernel_names();
  Reports reports = told.reports;
  std::erase_if(reports, [](const Report& report) { return std::holds_alternative<GapReport>(report); });
  std::vector<std::string> lines;
  for (const std::string& line :
       test::lines_of(test::captured([&](Output& output) { return make_json(output, names); }, reports))) {
    json object = json::parse(line);
    strip(object);
    lines.push_back(object.dump());
  }
  std::ranges::sort(lines);
  return lines;
}

void expect_same(const std::vector<Event>& events, const WitnessSettings& settings, const DigestWriter::Room& room,
                 const std::string& what) {
  const std::vector<Event> written = DigestWriter(room).write(events);
  const Told whole = run(events, settings);
  const Told by_events = run(expanded(written), settings);
  const Told by_digests = run(written, settings);
  EXPECT_EQ(words(by_events), words(whole)) << what << ": " << kinds(written);
  EXPECT_EQ(words(by_digests), words(whole)) << what << ": " << kinds(written);
  EXPECT_EQ(by_digests.summary.events, whole.summary.events) << what;
  EXPECT_EQ(by_digests.summary.connections, whole.summary.connections) << what;
  EXPECT_EQ(by_digests.summary.missed, whole.summary.missed) << what;
}

TEST(Digest, TellsTheSameOfEveryStory) {
  for (const Story& story : all_stories()) {
    expect_same(lives_only(story.events), life_settings(), [](std::uint64_t) { return true; }, story.name);
  }
}

}  // namespace
}  // namespace tcpwitness::testing

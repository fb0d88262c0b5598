// SPDX-License-Identifier: Apache-2.0
// One record for the ordinary events of a socket: what it stands for, and that it makes no difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "correlate/whole_life.hpp"
#include "pipeline/live_correlator.hpp"
#include "property/lives.hpp"
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
      text += fmt::format("{}>{} ", name(change->old_state), name(change->new_state));
    } else if (const auto* segment = std::get_if<Segment>(&event.body)) {
      text += fmt::format("{}:{} ", segment->hook == HookPoint::egress ? "out" : "in",
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
    const std::vector<Event> events = no_timeline(story.events);
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
  const std::vector<Event> events = no_timeline(close_second_story().events);
  const std::vector<Event> again = expanded(DigestWriter().write(events));
  ASSERT_EQ(again.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (const auto* was = std::get_if<StateChange>(&events[i].body)) {
      const auto& is = std::get<StateChange>(again[i].body);
      EXPECT_EQ(is.header.cookie, was->header.cookie);
      EXPECT_EQ(is.header.netns, was->header.netns);
      EXPECT_EQ(is.cb.flags, was->cb.flags);
      EXPECT_EQ(is.cb.details, was->cb.details);
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
      EXPECT_EQ(is.event_flags, was->event_flags & ~only_a_cause);
      EXPECT_EQ(is.ttl, was->ttl);
      EXPECT_EQ(is.segments, 1U);
      EXPECT_EQ(is.socket.type, was->socket.type);
      EXPECT_EQ(is.socket.rcv_nxt, was->socket.type == SocketKind::listener ? 0 : was->socket.rcv_nxt);
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
  const std::vector<Event> written = DigestWriter().write(no_timeline(peer_reset_story().events));
  EXPECT_EQ(kinds(written), "digest in:RST other ESTABLISHED>CLOSE other destroy");
  EXPECT_EQ(digests_in(written).at(0)->destroyed, 0);
  EXPECT_EQ(events_in(*digests_in(written).at(0)), 4U);
}

// What another socket left in the slot is none of this one's.
TEST(Digest, LeavesOutWhatIsLeftOfAnotherSocket) {
  std::vector<Event> written = DigestWriter().write(no_timeline(close_first_story().events));
  ASSERT_EQ(written.size(), 1U);
  auto& digest = std::get<SocketDigest>(written[0].body);
  const std::size_t all = events_in(digest);
  digest.held.segments[TW_HELD_SYN_ACK].cookie += 1;
  EXPECT_EQ(events_in(digest), all - 1);
  EXPECT_EQ(expanded(written).size(), all - 1);
}

TEST(Digest, TakesAsManyNumbersAsItStandsFor) {
  const std::vector<Event> written = DigestWriter().write(no_timeline(close_first_story().events));
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

// A CPU adds an event while another one hands the digest over: its place is filled, it is not counted, and it is a
// record too, which is.
TEST(Digest, IsCountedAsTheKernelCountedIt) {
  const std::vector<Event> written = DigestWriter().write(no_timeline(close_first_story().events));
  auto digest = std::get<SocketDigest>(written.at(0).body);
  const std::size_t events = events_in(digest);
  digest.counted = static_cast<std::uint8_t>(events - 1);
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(std::as_bytes(std::span(&digest, 1)), out);
  EXPECT_EQ(decoder.received(), events - 1);
  EXPECT_EQ(expanded(out).size(), events);
}

TEST(Digest, WithoutAnEventOrWithTooManyTransitionsIsMalformed) {
  SocketDigest digest{};
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
  std::vector<Event> events = no_timeline(close_first_story().events);
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
        change != nullptr && change->old_state != State::close && change->old_state != State::syn_sent) {
      more(change->cb);
    }
    if (auto* gone = std::get_if<SocketDestroyed>(&event.body)) more(gone->cb);
  }
  const RunResult whole = run(events);
  const RunResult reported = run(DigestWriter().write(events));
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().tx_bytes, much + 50);
  EXPECT_EQ(reported.life().rx_bytes, much + 70);
  EXPECT_EQ(whole.life().tx_bytes, reported.life().tx_bytes);
  EXPECT_EQ(whole.life().rx_bytes, reported.life().rx_bytes);
}

// Without numbers of events and connections: a digest's events have others than the ring's order would give them.
void strip(json& value) {
  if (value.is_object()) {
    for (const char* key : {"conn", "id", "evidence", "segment"}) value.erase(key);
    for (auto& [key, inner] : value.items()) strip(inner);
  } else if (value.is_array()) {
    for (json& inner : value) strip(inner);
  }
}

std::vector<std::string> words(const RunResult& reported) {
  const Names& names = kernel_names();
  Reports reports = reported.reports;
  std::erase_if(reports, [](const Report& report) { return std::holds_alternative<GapReport>(report); });
  std::vector<std::string> lines;
  for (const std::string& line :
       test::lines_of(test::captured([&](Output& output) { return make_json(output, names); }, reports))) {
    json object = json::parse(line);
    strip(object);
    // A digest has none; of a socket that is open at the end the last look at all sockets shows it.
    if (object.value("outcome", "") == "open") object.erase("srtt_us");
    lines.push_back(object.dump());
  }
  std::ranges::sort(lines);
  return lines;
}

// What one of them has and the other has not.
std::string difference(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  std::string text;
  std::vector<std::string> only;
  std::ranges::set_difference(one, other, std::back_inserter(only));
  for (const std::string& line : only) text += "\n- " + line;
  only.clear();
  std::ranges::set_difference(other, one, std::back_inserter(only));
  for (const std::string& line : only) text += "\n+ " + line;
  return text;
}

// ---- A whole ordinary life ----

SocketDigest whole_life(const Story& story) { return std::get<SocketDigest>(digest_of(story.events).body); }

TEST(WholeLife, IsFoundInAnOrdinaryLife) {
  const auto first = find_whole_life(whole_life(close_first_story()), life_settings());
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->active);
  EXPECT_TRUE(first->wire);
  EXPECT_EQ(first->closes, Closes::first);
  const auto second = find_whole_life(whole_life(close_second_story()), life_settings());
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->active);
  EXPECT_EQ(second->closes, Closes::second);
  const auto both = find_whole_life(whole_life(simultaneous_close_story()), life_settings());
  ASSERT_TRUE(both);
  EXPECT_EQ(both->closes, Closes::both);
}

// One thing is otherwise, and the rules for single events have to look at it.
TEST(WholeLife, IsNotFoundWhereAnythingIsOutOfTheOrdinary) {
  using Edit = std::function<void(SocketDigest&)>;
  const SocketDigest client = whole_life(close_first_story());
  const SocketDigest server = whole_life(close_second_story());
  const auto found = [](SocketDigest digest, const Edit& edit) {
    edit(digest);
    return find_whole_life(digest, life_settings()).has_value();
  };
  const std::vector<std::pair<std::string, Edit>> of_both = {
      {"it goes on", [](auto& d) { d.destroyed = 0; }},
      {"a transition is missing", [](auto& d) { --d.held.state_count; }},
      {"transitions do not follow", [](auto& d) { d.held.states[3].old_state = State::established; }},
      {"they run backwards", [](auto& d) { std::swap(d.held.states[1].ts_ns, d.held.states[2].ts_ns); }},
      {"a segment is missing", [](auto& d) { d.held.segments[TW_HELD_FIN_IN].ts_ns = 0; }},
      {"a segment is another socket's", [](auto& d) { ++d.held.segments[TW_HELD_SYN].cookie; }},
      {"a FIN is older than the connection", [](auto& d) { d.held.segments[TW_HELD_FIN_OUT].ts_ns = 1; }},
      {"a mini-socket took the FIN", [](auto& d) { d.held.segments[TW_HELD_FIN_IN].type = SocketKind::time_wait; }},
      {"the SYN-ACK answers another SYN", [](auto& d) { d.held.segments[TW_HELD_SYN_ACK].ack += 1U << 20U; }},
      {"the process was dying", [](auto& d) { d.held.states[2].actor |= TW_ACTOR_EXITING; }},
      {"TCP_REPAIR", [](auto& d) { d.held.states[0].flags |= TW_CB_REPAIR; }},
      {"the flow map forgot the flow", [](auto& d) { d.has_wire = 0; }},
      {"small writes were held back", [](auto& d) { d.loss.stalls = 1; }},
      {"no addresses", [](auto& d) { d.tuple.local_port = 0; }},
  };
  for (const auto& [what, edit] : of_both) {
    EXPECT_FALSE(found(client, edit)) << what;
    EXPECT_FALSE(found(server, edit)) << what;
  }
  EXPECT_TRUE(found(client, [](auto&) {}));
  EXPECT_TRUE(found(server, [](auto&) {}));

  const auto late = [](std::uint64_t by) {
    return [by](SocketDigest& d) {
      for (std::size_t i = 1; i < d.held.state_count; ++i) d.held.states[i].ts_ns += by;
      for (const auto place : {TW_HELD_FIN_OUT, TW_HELD_FIN_IN}) d.held.segments[place].ts_ns += by;
      d.header.ts_ns += by;
    };
  };
  EXPECT_TRUE(found(client, late(99 * ms)));
  EXPECT_FALSE(found(client, late(101 * ms))) << "the kernel took the SYN-ACK late";
  EXPECT_FALSE(found(client, [](auto& d) { d.held.states[4].flags &= ~TW_CB_DONE & 0xff; }))
      << "a mini-socket has the peer's FIN already";
  EXPECT_FALSE(found(client, [](auto& d) { d.held.segments[TW_HELD_FIN_IN].ts_ns = 0; })) << "the wire missed it";
  EXPECT_TRUE(found(client, [](auto& d) {
    d.held.states[4].flags &= ~TW_CB_DONE & 0xff;
    d.held.segments[TW_HELD_FIN_IN].ts_ns = 0;
  })) << "a mini-socket waits for it";
  EXPECT_FALSE(found(client, [](auto& d) { d.held.states[4].details |= TW_CB_TIME_WAIT_FULL; }));

  EXPECT_TRUE(found(server, [](auto& d) { d.held.segments[TW_HELD_SYN].type = SocketKind::time_wait; }))
      << "TIME_WAIT gave way to its SYN";
  EXPECT_FALSE(found(server, [](auto& d) { d.held.segments[TW_HELD_SYN].type = SocketKind::full; }));
  EXPECT_TRUE(found(server, [](auto& d) { d.held.segments[TW_HELD_SYN].max_ack_backlog = 4; }));
  EXPECT_FALSE(found(server, [](auto& d) { d.held.segments[TW_HELD_SYN].ack_backlog = 1; })) << "no room to accept";
  EXPECT_FALSE(found(server, [](auto& d) { d.held.segments[TW_HELD_SYN].syncookies = 2; }));
  EXPECT_FALSE(found(server, [](auto& d) { d.held.owner_waited_ms = 1000; })) << "the process read late";
  EXPECT_TRUE(found(server, [](auto& d) { d.held.owner_waited_ms = 999; }));
  EXPECT_FALSE(found(server, [](auto& d) { d.held.owner_ns = d.held.states[4].ts_ns; })) << "used behind its end";
}

// Another CPU released the entry while an event was written into it: then the event is a record of its own, too.
TEST(Digest, AnEventThatIsAlsoARecordOfItsOwnCountsOnce) {
  for (const Story& story : {close_first_story(), close_second_story()}) {
    const std::vector<Event> events = no_timeline(story.events);
    const RunResult whole = run(events);
    const std::vector<Event> all = expanded(DigestWriter().write(events));
    for (std::size_t i = 1; i < all.size(); ++i) {
      std::vector<Event> twice = all;
      twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), all[i]);
      for (std::size_t at = i + 1; at < twice.size(); ++at) ++twice[at].id;
      const bool first =
          std::holds_alternative<StateChange>(all[i].body) || std::holds_alternative<Segment>(all[i].body);
      if (!first) continue;
      twice[i + 1].ts_ns += 3 * us;  // the record's own time
      const RunResult reported = run(twice);
      EXPECT_EQ(difference(words(whole), words(reported)), "") << story.name << " " << i;
      EXPECT_EQ(reported.summary.missed, 0U) << story.name << " " << i;
    }
  }
}

TEST(Digest, AnyBytesAreTakenOrRefused) {
  std::mt19937 random(3);
  const std::vector<Story> stories = all_stories();
  for (int round = 0; round < 2000; ++round) {
    Decoder decoder(0);
    std::vector<Event> events;
    for (const Event& event : DigestWriter().write(no_timeline(stories[random() % stories.size()].events))) {
      const auto* digest = std::get_if<SocketDigest>(&event.body);
      if (digest == nullptr) continue;
      SocketDigest changed = *digest;
      const std::span<std::byte> bytes = std::as_writable_bytes(std::span(&changed, 1));
      for (int flips = static_cast<int>(random() % 6); flips > 0; --flips) {
        const std::size_t at = random() % bytes.size();
        if (at < 28 || at >= 32) bytes[at] = static_cast<std::byte>(random());
      }
      decoder.decode(bytes, events);
    }
    (void)run(events, life_settings());
    (void)run(events, trace_settings());
    (void)run(events, wire_settings());
  }
}

// ---- There is no difference ----

// Each event comes when the kernel writes it, and time passes meanwhile, the same for all who are compared.
RunResult run_at(const std::vector<Event>& events, const std::vector<TimeNs>& written_ns,
                 const std::vector<TimeNs>& clock, const CorrelatorSettings& settings) {
  RunResult result;
  LiveCorrelator correlator(settings, kernel_names());
  auto tick = clock.begin();
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (; tick != clock.end() && *tick < written_ns[i]; ++tick) correlator.advance(*tick, result.reports);
    correlator.feed(events[i], result.reports);
  }
  for (; tick != clock.end(); ++tick) correlator.advance(*tick, result.reports);
  correlator.finish(clock.back(), result.reports);
  result.summary = correlator.summary();
  return result;
}

// Whenever anything happens, each 10 ms, and then until nothing waits any more.
std::vector<TimeNs> clock_of(const std::vector<TimeNs>& times) {
  std::vector<TimeNs> clock = times;
  for (TimeNs now = times.front(); now < times.back() + 1 * s; now += 10 * ms) clock.push_back(now);
  for (int i = 1; i <= 300; ++i) clock.push_back(times.back() + i * s);
  std::ranges::sort(clock);
  return clock;
}

struct Compared {
  std::size_t whole = 0;  // lives that a single digest has
  std::size_t minis = 0;  // of these, with a mini-socket that waits for the peer's FIN
  std::size_t digests = 0;
};

Compared expect_same(const std::vector<Event>& events, const CorrelatorSettings& settings,
                     const DigestWriter::Room& room, const std::string& what) {
  Compared compared;
  DigestWriter writer(room);
  const std::vector<Event> written = writer.write(events);
  std::vector<TimeNs> at;
  std::vector<TimeNs> expanded_at;
  std::vector<Event> all;
  at.reserve(events.size());
  for (const Event& event : events) at.push_back(std::max(at.empty() ? 0 : at.back(), event.ts_ns));
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto* digest = std::get_if<SocketDigest>(&written[i].body);
    if (digest == nullptr) {
      all.push_back(written[i]);
    } else {
      expand(written[i], *digest, all);
      ++compared.digests;
      const auto life = find_whole_life(*digest, settings);
      if (life) ++compared.whole;
      if (life && life->leaves_mini_socket) ++compared.minis;
    }
    expanded_at.resize(all.size(), writer.written_ns()[i]);
  }
  const std::vector<TimeNs> clock = clock_of(at);
  const RunResult whole = run_at(events, at, clock, settings);
  const RunResult by_events = run_at(all, expanded_at, clock, settings);
  const RunResult by_digests = run_at(written, writer.written_ns(), clock, settings);
  const auto expected = words(whole);
  EXPECT_EQ(difference(expected, words(by_events)), "") << what << ", by events: " << kinds(written);
  EXPECT_EQ(difference(expected, words(by_digests)), "") << what << ", by digests: " << kinds(written);
  EXPECT_EQ(by_digests.summary.events, whole.summary.events) << what;
  EXPECT_EQ(by_digests.summary.connections, whole.summary.connections) << what;
  EXPECT_EQ(by_digests.summary.missed, whole.summary.missed) << what;
  return compared;
}

TEST(Digest, TellsTheSameOfEveryStory) {
  for (const Story& story : all_stories()) {
    expect_same(no_timeline(story.events), life_settings(), [](std::uint64_t) { return true; }, story.name);
  }
}

TEST(Digest, TellsTheSameOfConnectionsDrawnAtRandom) {
  Compared sum;
  for (std::uint32_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    Lives lives(seed);
    const bool wire = seed % 4 != 0;
    const std::vector<Event> events = no_timeline(lives.draw(1 + seed % 12, wire));
    CorrelatorSettings settings = life_settings();
    settings.has_wire = wire;
    if (seed % 7 == 0) settings.comm = "nginx";
    const bool full = seed % 5 == 0;  // some find no room
    const auto room = [&](std::uint64_t cookie) { return !full || cookie % 3 != 0; };
    const Compared compared = expect_same(events, settings, room, fmt::format("seed {}", seed));
    sum.whole += compared.whole;
    sum.minis += compared.minis;
    sum.digests += compared.digests;
  }
  EXPECT_GT(sum.whole, 300U);
  EXPECT_GT(sum.minis, 30U);
  EXPECT_GT(sum.digests, 2 * sum.whole);
}

// ---- With a timeline, where very many end ----

RunResult with_timeline(const std::vector<Event>& events, bool in_short) {
  RunResult result;
  LiveCorrelator correlator(trace_settings(), kernel_names());
  correlator.summarize_ordinary(in_short);
  for (const Event& event : events) correlator.feed(event, result.reports);
  correlator.finish(events.back().ts_ns + 10 * s, result.reports);
  return result;
}

struct Held {
  std::size_t entries = 0;
  std::size_t findings = 0;
  std::vector<Life> lives;
};
// Of one connection, or of all.
Held held(const RunResult& result, const std::optional<Flow>& of = {}) {
  Held held;
  for (const Report& report : result.reports) {
    const auto mine = [&](const auto& body) { return !of || body.flow == *of; };
    if (const auto* entry = std::get_if<Entry>(&report)) held.entries += mine(*entry) ? 1 : 0;
    if (const auto* finding = std::get_if<FindingReport>(&report)) held.findings += mine(*finding) ? 1 : 0;
    if (const auto* life = std::get_if<Life>(&report); life != nullptr && mine(*life)) held.lives.push_back(*life);
  }
  return held;
}

TEST(Digest, InShortAnOrdinaryConnectionHasItsLifeAlone) {
  std::size_t ordinary = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    Lives lives(seed);
    const std::vector<Event> events = DigestWriter().write(no_timeline(lives.draw(4, true)));
    const RunResult in_short = with_timeline(events, true);
    const RunResult in_full = with_timeline(events, false);
    for (const Life& life : held(in_short).lives) {
      if (!life.explanation.empty()) continue;
      const Held brief = held(in_short, life.flow);
      const Held whole = held(in_full, life.flow);
      if (brief.lives.size() != 1 || whole.lives.size() != 1) continue;  // an address pair that is used again
      EXPECT_EQ(brief.findings, 0U);
      EXPECT_GE(whole.entries, brief.entries);
      EXPECT_NE(whole.lives[0].explanation, "");
      EXPECT_EQ(brief.lives[0].outcome, whole.lives[0].outcome);
      EXPECT_EQ(brief.lives[0].findings.size(), whole.lives[0].findings.size());
      ordinary += brief.entries == 0 && whole.entries > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(ordinary, 10U);
}

// Almost ordinary.
TEST(Digest, InShortWhatWentWrongHasItsEventsAndItsWords) {
  for (const Story& story : {refused_story(), peer_reset_story(), zero_window_story(), closed_unread_story()}) {
    const std::vector<Event> events = DigestWriter().write(no_timeline(story.events));
    const Held in_short = held(with_timeline(events, true));
    const Held in_full = held(with_timeline(events, false));
    ASSERT_EQ(in_short.lives.size(), in_full.lives.size()) << story.name;
    EXPECT_EQ(in_short.entries, in_full.entries) << story.name;
    EXPECT_EQ(in_short.lives.back().explanation, in_full.lives.back().explanation) << story.name;
    EXPECT_NE(in_short.lives.back().explanation, "") << story.name;
  }
}

}  // namespace
}  // namespace tcpwitness::testing

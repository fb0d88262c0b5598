// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden/reports.hpp"
#include "sink/format.hpp"
#include "sink/picture/ladder.hpp"
#include "sink/picture/markup.hpp"
#include "sink/picture/picture.hpp"
#include "sink/picture/svg.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

using namespace tcpwitness::golden;
using picture::Connection;
using picture::Ladder;
using picture::Row;
using picture::Stroke;

Connection connection(const Reports& reports) {
  Connection made;
  for (const Report& report : reports) {
    if (const auto* entry = std::get_if<Entry>(&report)) made.entries.push_back(*entry);
    if (const auto* found = std::get_if<FindingReport>(&report)) made.findings.push_back(*found);
    if (const auto* life = std::get_if<Life>(&report)) made.life = *life;
  }
  return made;
}

Ladder ladder(const Reports& reports, bool fold = true) {
  static const Names known = names();
  return picture::lay_out(connection(reports), nullptr, known, {.fold_ordinary = fold});
}

const Row* row_of(const Ladder& ladder, EventId id) {
  const auto at = std::ranges::find(ladder.rows, id, &Row::id);
  return at == ladder.rows.end() ? nullptr : &*at;
}

std::string svg_of(const Reports& reports, const PictureSettings& settings = {.ladder_alone = true}) {
  static const Names known = names();
  const int fd = ::memfd_create("picture", MFD_CLOEXEC);
  auto sink = make_picture(::dup(fd), known, settings);
  for (const Report& report : reports) sink->write(report);
  EXPECT_TRUE(sink->flush());
  std::string text = test::read_all(fd);
  ::close(fd);
  return text;
}

// Each element is closed, and nothing but elements has angle brackets. Returns what is wrong.
std::string malformed(std::string_view text) {
  std::vector<std::string> open;
  while (true) {
    const std::size_t at = text.find('<');
    if (at == std::string_view::npos) return open.empty() ? "" : "not closed: " + open.back();
    text.remove_prefix(at + 1);
    const std::size_t end = text.find('>');
    if (end == std::string_view::npos) return "a bracket alone";
    const std::string_view tag = text.substr(0, end);
    const std::string name(tag.substr(0, tag.find(' ')));
    if (tag.contains('<')) return "in a tag: " + std::string(tag);
    if (name.starts_with('/')) {
      if (open.empty() || open.back() != name.substr(1)) return "closes what is not open: " + name;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
    text.remove_prefix(end + 1);
  }
}

TEST(PictureLadder, HasARowForEachEventInOrder) {
  const Ladder drawn = ladder(curl());
  const Connection all = connection(curl());
  ASSERT_EQ(drawn.rows.size(), all.entries.size());
  for (std::size_t i = 0; i < all.entries.size(); ++i) {
    EXPECT_EQ(drawn.rows[i].id, all.entries[i].id);
    EXPECT_EQ(drawn.rows[i].offset_ns, all.entries[i].ts_ns - all.entries[0].ts_ns);
    if (i > 0) {
      EXPECT_GT(drawn.rows[i].y, drawn.rows[i - 1].y);
    }
  }
  EXPECT_EQ(drawn.title, "curl[4242] 192.168.7.1:40412 \u2192 192.168.7.2:8080");
}

TEST(PictureLadder, ATransitionNamesItsCallAndItsSegment) {
  const Ladder drawn = ladder(curl());
  const Row& called = drawn.rows[0];
  EXPECT_EQ(called.local.process, "connect() by curl[4242]");
  EXPECT_EQ(called.local.kernel, "CLOSE \u2192 SYN_SENT");
  EXPECT_EQ(called.local.entered, TcpState::syn_sent);
  const Row* opened = row_of(drawn, 4);
  ASSERT_NE(opened, nullptr);
  EXPECT_EQ(opened->cause, 3U);
  EXPECT_TRUE(opened->note.contains("SYN-ACK (3)")) << opened->note;
  EXPECT_TRUE(opened->local.process.empty());
}

TEST(PictureLadder, ASegmentIsAnArrowWithRelativeNumbers) {
  const Ladder drawn = ladder(curl());
  const Row* syn = row_of(drawn, 2);
  ASSERT_TRUE(syn != nullptr && syn->arrow.size() == 1);
  EXPECT_TRUE(syn->arrow[0].out);
  EXPECT_EQ(syn->arrow[0].stroke, Stroke::control);
  EXPECT_TRUE(syn->arrow[0].words.starts_with("SYN seq=0 ")) << syn->arrow[0].words;
  const Row* answer = row_of(drawn, 3);
  ASSERT_TRUE(answer != nullptr && answer->arrow.size() == 1);
  EXPECT_FALSE(answer->arrow[0].out);
  EXPECT_TRUE(answer->arrow[0].words.starts_with("SYN,ACK seq=0 ack=1")) << answer->arrow[0].words;
}

TEST(PictureLadder, LongSilenceIsFoldedAndSaysHowLong) {
  const Ladder drawn = ladder(keepalive_death());
  std::vector<std::string> folds;
  for (const Row& row : drawn.rows) {
    if (row.kind == Row::Kind::silence) folds.push_back(row.note);
  }
  EXPECT_EQ(folds, (std::vector<std::string>{"20.0 s of silence", "1.02 s of silence", "1.02 s of silence",
                                             "1.02 s of silence"}));
  for (const Row& row : ladder(curl()).rows) EXPECT_EQ(row.kind, Row::Kind::event);  // 10 ms are none
}

TEST(PictureLadder, ProbesResetsAndClosedWindowsAreDrawnAsWhatTheyAre) {
  const Ladder dead = ladder(keepalive_death());
  EXPECT_EQ(row_of(dead, 41)->arrow[0].stroke, Stroke::probe);
  EXPECT_EQ(row_of(dead, 48)->arrow[0].stroke, Stroke::reset);
  const Ladder closed = ladder(zero_window());
  EXPECT_EQ(row_of(closed, 60)->arrow[0].stroke, Stroke::data);
  EXPECT_EQ(row_of(closed, 61)->arrow[0].stroke, Stroke::closed_window);
  EXPECT_EQ(row_of(closed, 63)->arrow[0].stroke, Stroke::probe);
  EXPECT_EQ(row_of(closed, 67)->arrow[0].stroke, Stroke::again);
}

TEST(PictureLadder, AFindingStandsBesideTheFirstEventThatItRestsOn) {
  const Ladder drawn = ladder(zero_window());
  ASSERT_EQ(drawn.remarks.size(), 2U);
  EXPECT_EQ(drawn.remarks[0].rule, Rule::zero_window);
  EXPECT_EQ(drawn.remarks[0].y, row_of(drawn, 61)->y - 11);
  EXPECT_GE(drawn.remarks[1].y, drawn.remarks[0].y + drawn.remarks[0].height);
  EXPECT_EQ(drawn.remarks[1].evidence, (std::vector<EventId>{67, 68}));
}

// A bulk transfer, of which the fifth segment is dropped.
Reports bulk(int segments, EventId segment_of_drop) {
  Story story(7, flow("10.0.0.1", 4000, "10.0.0.2", 80), 1, midnight);
  for (int i = 0; i < segments; ++i) {
    story.add(10, wire({.out = i % 2 == 0,
                        .flags = tcp_flag::psh | tcp_flag::ack,
                        .rel_seq = static_cast<std::uint32_t>(1 + 100 * i),
                        .len = i % 2 == 0 ? 100U : 0U}));
  }
  story.add(10, DropEntry{.out = true,
                          .reason = "SKB_DROP_REASON_NETFILTER_DROP",
                          .kind = DropKind::firewall,
                          .rel_seq = 401,
                          .relative = true,
                          .len = 100,
                          .flags = tcp_flag::ack,
                          .segment = segment_of_drop});
  story.tell(
      Life{.conn = 7, .start_ts_ns = midnight, .ts_ns = story.now(), .flow = flow("10.0.0.1", 4000, "10.0.0.2", 80)});
  return story.reports;
}

TEST(PictureLadder, ADroppedSegmentEndsOnItsWay) {
  const Ladder drawn = ladder(bulk(10, 5));
  EXPECT_EQ(drawn.rows.size(), 10U);  // no row of its own
  EXPECT_TRUE(row_of(drawn, 5)->arrow[0].dropped);
  EXPECT_EQ(row_of(drawn, 5)->arrow[0].dropped_by, "dropped by netfilter, the kernel's firewall (NETFILTER_DROP)");
  EXPECT_FALSE(row_of(drawn, 3)->arrow[0].dropped);
  // Not seen at the interface: an arrow of its own.
  const Ladder unseen = ladder(bulk(10, 0));
  ASSERT_EQ(unseen.rows.size(), 11U);
  EXPECT_TRUE(unseen.rows[10].arrow[0].dropped);
  EXPECT_TRUE(unseen.rows[10].arrow[0].out);
}

TEST(PictureLadder, OrdinaryDataIsFoldedInADocumentAndCounted) {
  EXPECT_EQ(ladder(bulk(12, 0)).rows.size(), 13U);
  const Ladder folded = ladder(bulk(100, 0));
  ASSERT_EQ(folded.rows.size(), 3U + 1 + 3 + 1);
  EXPECT_EQ(folded.rows[3].kind, Row::Kind::ordinary);
  EXPECT_TRUE(folded.rows[3].note.starts_with("47 segments \u2192 with 4.6 KiB, 47 segments \u2190 with 0 bytes"))
      << folded.rows[3].note;
  EXPECT_EQ(ladder(bulk(100, 0), false).rows.size(), 101U);
}

// The same connection from its other end, as it is over loopback.
TEST(PictureLadder, BothEndsShareTheirArrows) {
  const Flow where = flow("127.0.0.1", 4000, "127.0.0.1", 80);
  const Flow there = flow("127.0.0.1", 80, "127.0.0.1", 4000);
  const auto add = [](Connection& to, EventId id, TimeNs ts_ns, const Flow& flow, const SegmentEntry& segment) {
    to.entries.push_back(Entry{.conn = 1, .id = id, .ts_ns = ts_ns, .flow = flow, .body = segment});
  };
  const auto passes = [&](bool out, std::uint32_t seq) {
    return wire({.out = out, .flags = tcp_flag::psh | tcp_flag::ack, .rel_seq = seq, .len = 10});
  };
  Connection near;
  Connection far;
  near.life.flow = where;
  near.life.start_ts_ns = midnight;
  far.life.flow = there;
  far.life.process = process(7, "server", PidSource::accept);
  add(near, 1, midnight, where, passes(true, 1));
  SegmentEntry arrives = passes(true, 1);
  arrives.segment.seen_at(HookPoint::ingress);
  add(far, 2, midnight + 2'000'000, there, arrives);
  add(near, 3, midnight + 3'000'000, where, passes(true, 11));  // never arrives
  const Names known = names();
  const Ladder drawn = picture::lay_out(near, &far, known, {});
  ASSERT_EQ(drawn.rows.size(), 2U);
  EXPECT_TRUE(drawn.both_ends);
  EXPECT_EQ(drawn.peer_name, "server[7]");
  EXPECT_EQ(drawn.rows[0].also, 2U);
  EXPECT_EQ(drawn.rows[0].arrow[0].took_ns, 2'000'000);
  EXPECT_EQ(drawn.rows[1].also, 0U);
  EXPECT_EQ(drawn.rows[1].arrow[0].took_ns, -1);
  EXPECT_FALSE(drawn.rows[1].arrow[0].dropped);  // nobody saw it dropped
  EXPECT_EQ(picture::number_text(drawn.rows[0]), "1/2");
  EXPECT_EQ(picture::number_text(drawn.rows[1]), "3");
}

TEST(PictureLadder, ANumberHasRoom) {
  Ladder drawn = ladder(curl());
  const picture::Lanes few = picture::lanes_of(drawn);
  EXPECT_EQ(few.number, 34);
  drawn.number_columns = 11;  // 12345/12346
  const picture::Lanes many = picture::lanes_of(drawn);
  EXPECT_GE(many.number, 11 * 6.6);
  EXPECT_EQ(many.remote - few.remote, many.number - few.number);
  Buffer out;
  drawn.rows[1].also = 99;
  picture::append_rows(out, drawn, 0, drawn.rows.size());
  EXPECT_TRUE(fmt::to_string(out).contains(">2/99</text>"));
}

// What stands between the first two texts.
std::string between(const std::string& text, std::string_view from, std::string_view to) {
  const std::size_t begin = text.find(from) + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

TEST(PictureSvg, IsWellFormedAndHasEachConnection) {
  const std::string text = svg_of(run());
  EXPECT_EQ(malformed(text), "");
  EXPECT_TRUE(text.starts_with("<svg "));
  for (const char* words : {"curl[4242]", "CLOSE \u2192 SYN_SENT", "20.0 s of silence", "zero-window \u00b7 likely",
                            "data-evidence=\"61 63 66\""})
    EXPECT_TRUE(text.contains(words)) << words;
}

TEST(PictureSvg, WhatComesFromOthersIsText) {
  Reports reports = curl();
  for (Report& report : reports) {
    if (auto* life = std::get_if<Life>(&report)) life->process.comm = "<script>a&b'\"";
    if (auto* entry = std::get_if<Entry>(&report)) {
      if (auto* state = std::get_if<StateEntry>(&entry->body)) state->process.comm = "</svg><script>";
    }
  }
  reports.emplace_back(Summary{});
  const std::string text = svg_of(reports);
  EXPECT_EQ(malformed(text), "");
  EXPECT_FALSE(text.contains("<script"));
  EXPECT_TRUE(text.contains("&lt;script&gt;a&amp;b&#39;&quot;[4242]"));
}

TEST(PictureSvg, SegmentsOfNoConnectionStandTogether) {
  Reports reports = stray();
  reports.emplace_back(Summary{});
  const std::string text = svg_of(reports);
  EXPECT_TRUE(text.contains("segments that belong to no connection"));
  EXPECT_TRUE(text.contains("data-id=\"80\"") && text.contains("data-id=\"82\""));
  const auto data = nlohmann::json::parse(between(svg_of(reports, {}), "id=\"data\">", "</script>"));
  ASSERT_EQ(data["connections"].size(), 1U);
  EXPECT_EQ(data["connections"][0]["stray"], true);
  EXPECT_EQ(data["connections"][0]["life"]["outcome"], "unknown");
  EXPECT_EQ(data["connections"][0]["stray_segments"], 2);
  EXPECT_TRUE(svg_of(reports, {}).contains("<title>tcpwitness: 0 connections</title>"));
}

// A finding is judged when nothing more can come: that is no part of what it is about.
TEST(PictureSvg, SegmentsOfNoConnectionLastAsLongAsTheyDo) {
  for (const bool finding_first : {false, true}) {
    Reports reports = stray();
    const TimeNs begun = std::get<Entry>(reports.front()).ts_ns;
    const TimeNs last = std::get<Entry>(reports.back()).ts_ns;
    const FindingReport found{
        .conn = 0, .ts_ns = last + 2'000'000'000, .flow = std::get<Entry>(reports[0]).flow, .finding = {}};
    reports.insert(finding_first ? reports.begin() : reports.end(), found);
    reports.emplace_back(Summary{});
    const auto data = nlohmann::json::parse(between(svg_of(reports, {}), "id=\"data\">", "</script>"));
    ASSERT_EQ(data["connections"].size(), 1U);
    EXPECT_EQ(data["connections"][0]["findings"].size(), 1U);
    EXPECT_EQ(data["connections"][0]["life"]["start_ts_ns"], begun);
    EXPECT_EQ(data["connections"][0]["life"]["duration_ns"], last - begun);
  }
}

TEST(PictureSvg, WhatIsLeftOutIsCounted) {
  Reports reports;
  for (ConnectionId conn = 1; conn <= 5; ++conn) std::ranges::move(curl(conn, 100 * conn), std::back_inserter(reports));
  reports.emplace_back(Summary{});
  EXPECT_TRUE(svg_of(reports, {.ladder_alone = true, .ladders = 3}).contains(">2 more connections"));
  EXPECT_TRUE(svg_of(reports, {.ladder_alone = true, .connections = 4}).contains(">1 more connections"));
  const std::string few = svg_of(reports, {.ladder_alone = true, .entries = 20});
  EXPECT_TRUE(few.contains("more events are not kept here"));
  EXPECT_FALSE(svg_of(reports).contains("more connections"));
}

TEST(PicturePage, HasTheReportsAsJsonHasThem) {
  const std::string page = svg_of(run(), {});
  const auto data = nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
  const auto& connections = data["connections"];
  ASSERT_EQ(connections.size(), 7U);  // and the stray segments
  static const Names known = names();
  std::vector<nlohmann::json> lives;
  for (const std::string& line :
       test::lines_of(test::captured([](Output& out) { return make_json(out, known); }, run()))) {
    const auto report = nlohmann::json::parse(line);
    if (report["type"] == "life") lives.push_back(report);
    if (report["type"] == "ready") {
      EXPECT_EQ(data["ready"], report);
    }
    if (report["type"] == "summary") {
      EXPECT_EQ(data["summary"], report);
    }
    if (report["type"] == "gap") {
      EXPECT_EQ(data["gaps"][0], report);
    }
  }
  ASSERT_EQ(lives.size(), 6U);
  for (const auto& life : lives) {
    const auto at = std::ranges::find_if(connections, [&](const auto& each) { return each["life"] == life; });
    ASSERT_NE(at, connections.end()) << life;
    EXPECT_TRUE(page.contains("id=\"ladder-" + std::to_string(life["conn"].get<int>()) + "-0\""));
  }
  const auto& segments = connections[0]["segments"];
  EXPECT_EQ(segments["rel_seq"][0], 0);
  EXPECT_EQ(segments["out"], nlohmann::json::parse("[1,0,1,1,0,0,1]"));
}

// The kernel's cause stands beside the segment that it sent again, in the words that the wire has for it.
TEST(PicturePage, ARetransmissionHasItsCause) {
  const std::string page = svg_of(run(), {});
  const auto data = nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
  for (const auto& each : data["connections"]) {
    if (each["life"]["conn"] != 4) continue;
    const auto& segments = each["segments"];
    const auto ids = segments["id"].get<std::vector<int>>();
    const auto at = std::ranges::find(ids, 67) - ids.begin();
    const std::size_t words = segments["words"][static_cast<std::size_t>(at)];
    EXPECT_EQ(segments["texts"][words], "retransmission, RTO");
    EXPECT_EQ(segments["causes"], nlohmann::json::parse(R"({"67":"RTO"})"));
    return;
  }
  ADD_FAILURE() << "there is no connection 4";
}

// What else a segment is ("window full") is no cause of its being sent again.
TEST(PicturePage, OnlyACauseIsACause) {
  const std::vector<std::pair<std::vector<std::string_view>, std::string>> segments{
      {{"retransmission", "window full"}, ""},
      {{"retransmission", "spurious retransmission", "window full"}, ""},
      {{"retransmission", "fast retransmission", "window full"}, "fast retransmission"},
      {{"retransmission", "tail-loss probe"}, "tail-loss probe"},
      {{"window full"}, ""}};
  Story story(7, flow("10.0.0.1", 4000, "10.0.0.2", 80), 1, midnight);
  nlohmann::json expected = nlohmann::json::object();
  for (const auto& [words, cause] : segments) {
    SegmentEntry segment = wire({.flags = tcp_flag::psh | tcp_flag::ack, .rel_seq = 1, .len = 100});
    segment.analysis = words;
    story.add(10, segment);
    if (!cause.empty()) expected[std::to_string(story.last())] = cause;
  }
  story.tell(Life{.conn = 7, .start_ts_ns = midnight, .flow = flow("10.0.0.1", 4000, "10.0.0.2", 80)});
  story.tell(Summary{});
  const auto data = nlohmann::json::parse(between(svg_of(story.reports, {}), "id=\"data\">", "</script>"));
  EXPECT_EQ(data["connections"][0]["segments"]["causes"], expected);
}

TEST(PicturePage, WhatComesFromOthersEndsNoScript) {
  Reports reports = curl();
  for (Report& report : reports) {
    if (auto* life = std::get_if<Life>(&report)) life->process.comm = "</script><b>";
  }
  reports.emplace_back(Summary{});
  const std::string page = svg_of(reports, {});
  EXPECT_FALSE(page.contains("</script><b>"));
  const auto data = nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
  EXPECT_EQ(data["connections"][0]["life"]["comm"], "</script><b>");
  EXPECT_FALSE(between(page, "id=\"ladder-1\">", "</script>").contains("<b>"));
}

TEST(PicturePage, AsksNobodyAndIsSmall) {
  const std::string page = svg_of({Summary{}}, {});
  EXPECT_LT(page.size(), 400'000U);
  EXPECT_TRUE(page.contains("default-src 'none'"));
  for (const char* loads : {" src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest("})
    EXPECT_FALSE(page.substr(0, page.find("<script>")).contains(loads)) << loads;
}

TEST(PictureMarkup, NoBracketIsLeftInAScript) {
  Buffer out;
  picture::append_script_json(out, R"({"comm":"</script><!--"})");
  EXPECT_EQ(fmt::to_string(out), R"({"comm":"\u003c/script>\u003c!--"})");
  Buffer text;
  picture::append_escaped(text, "a<b>\x01\xff&\u00e4");
  EXPECT_EQ(fmt::to_string(text), "a&lt;b&gt;??&amp;\u00e4");
}

// A name with a mark that turns the line round would put the numbers behind it before it.
TEST(PictureMarkup, NothingTurnsALineRound) {
  for (const char* order : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202d", "\u202e", "\u2066",
                            "\u2069", "\u0085", "\x7f", "\x1b"}) {
    Buffer text;
    picture::append_escaped(text, fmt::format("a{}b", order));
    EXPECT_EQ(fmt::to_string(text), "a?b");
    EXPECT_EQ(printable(fmt::format("a{}b", order), true), "a?b");
  }
  const std::string letters = "\u00e4\u05d0\u2013\u2026\u2030\u2192\u206a\u6f22";
  Buffer text;
  picture::append_escaped(text, letters);
  EXPECT_EQ(fmt::to_string(text), letters);
  Reports reports = curl();
  for (Report& report : reports) {
    if (auto* life = std::get_if<Life>(&report)) life->process.comm = "\u202egpj.exe";
  }
  reports.emplace_back(Summary{});
  EXPECT_FALSE(svg_of(reports).contains("\u202e"));
  EXPECT_TRUE(svg_of(reports).contains("?gpj.exe[4242]"));
}

}  // namespace
}  // namespace tcpwitness

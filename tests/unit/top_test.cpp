// SPDX-License-Identifier: Apache-2.0
// top_test.cpp: the live view without a terminal: what it adds up, what keys do, that nothing leaves its column.
#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "sink/format.hpp"
#include "top/cells.hpp"
#include "top/kept.hpp"
#include "top/layout.hpp"
#include "top/numbers.hpp"
#include "top/painted.hpp"
#include "top/texts.hpp"
#include "unit/top_scene.hpp"

namespace tcpwitness::top {
namespace {

using test::Scene;

KeyPress key(char32_t character) { return {.key = Key::character, .character = character}; }

// ---- The model ----

TEST(TopModel, BytesOfAnOpenConnectionCountInTheIntervalInWhichTheyPass) {
  Scene scene;
  scene.open({.tx = 1'000}).tick();
  EXPECT_EQ(scene.model.samples().back().tx, 1'000);
  scene.open({.tx = 5'000}).tick();
  EXPECT_EQ(scene.model.samples().back().tx, 4'000);
  scene.end({.tx = 5'500}).tick();
  EXPECT_EQ(scene.model.samples().back().tx, 500);
  EXPECT_EQ(scene.model.total().tx, 5'500U);
  EXPECT_EQ(scene.model.total().begun, 1U);
  EXPECT_EQ(scene.model.total().ended, 1U);
}

TEST(TopModel, WhatWasBeforeTheFirstLookCountsNowhere) {
  Scene scene;
  scene.open({.tx = 1'000'000, .preexisting = true}).tick();
  EXPECT_EQ(scene.model.samples().back().tx, 0);
  EXPECT_EQ(scene.model.total().begun, 0U);
  scene.open({.tx = 1'000'007, .preexisting = true}).tick();
  EXPECT_EQ(scene.model.samples().back().tx, 7);
}

// Almost the same: it ended before anybody looked.
TEST(TopModel, AConnectionThatIsOlderThanTheRunAndEndsUnseenBringsNoBytes) {
  Scene scene;
  scene.end({.tx = 1'000'000, .preexisting = true}).tick();
  EXPECT_EQ(scene.model.total().tx, 0U);
  EXPECT_EQ(scene.model.total().ended, 1U);
}

TEST(TopModel, RatesArePerSecondWhateverTheIntervalIs) {
  Scene scene;
  scene.end({.tx = 1'000}).tick(2 * test::second);
  EXPECT_EQ(scene.model.samples().back().tx, 500);
  EXPECT_EQ(scene.model.samples().back().begun, 0.5);
}

TEST(TopModel, ResetsAreConnectionsThatARstEnded) {
  Scene scene;
  scene.end({.conn = 1, .outcome = Outcome::reset_by_peer});
  scene.end({.conn = 2, .outcome = Outcome::refused});
  scene.end({.conn = 3, .outcome = Outcome::completed});
  scene.end({.conn = 4, .outcome = Outcome::refused, .finding = Rule::reset_origin});
  scene.tick();
  EXPECT_EQ(scene.model.total().resets, 2U) << "one was refused by a message";
  EXPECT_EQ(scene.model.samples().back().resets, 2);
  EXPECT_EQ(scene.model.total().bad, 3U);
}

TEST(TopModel, AnOpenConnectionIsBadFromItsFirstFindingOnAndOnlyOnce) {
  Scene scene;
  scene.open({}).tick();
  EXPECT_EQ(scene.model.total().bad, 0U);
  scene.open({.finding = Rule::zero_window}).tick();
  EXPECT_EQ(scene.model.total().bad, 1U);
  EXPECT_EQ(scene.model.groups(By::process).front()->last.bad, 1U);
  scene.open({.finding = Rule::zero_window}).tick();
  scene.open({}).tick();
  scene.end({.outcome = Outcome::reset_by_peer, .finding = Rule::zero_window}).tick();
  EXPECT_EQ(scene.model.total().bad, 1U);
  EXPECT_EQ(scene.model.groups(By::process).front()->total.bad, 1U);
  EXPECT_EQ(scene.model.total().resets, 1U);
}

TEST(TopModel, LostEventsCountAndAreSaid) {
  Scene scene;
  scene.lost(10).tick().tick();
  EXPECT_EQ(scene.model.lost(), 10U);
  EXPECT_EQ(scene.model.samples().at(0).lost, 10);
  EXPECT_EQ(scene.model.samples().back().lost, 0);
  ASSERT_EQ(scene.model.lines().size(), 1U);
  EXPECT_TRUE(scene.model.lines().front().loud);
}

TEST(TopModel, OpenIsWhatTheNewestLookShowed) {
  Scene scene;
  scene.open({.conn = 1}).open({.conn = 2}).tick();
  EXPECT_EQ(scene.model.open(), 2U);
  EXPECT_EQ(scene.model.groups(By::process).front()->open, 2U);
  scene.end({.conn = 2}).open({.conn = 1}).tick();
  EXPECT_EQ(scene.model.open(), 1U);
  EXPECT_EQ(scene.model.groups(By::process).front()->open, 1U);
}

TEST(TopModel, TheRunEndsAndWhatIsOpenHasNotEnded) {
  Scene scene;
  scene.open({.tx = 10}).tick();
  scene.end({.tx = 12, .outcome = Outcome::open});
  EXPECT_EQ(scene.model.total().ended, 0U);
  EXPECT_EQ(scene.model.total().tx, 12U);
}

// Whatever comes: rows and "other" together are the total, and nothing is larger than it may be.
TEST(TopModel, IsBoundedAndAddsUp) {
  const Limits limits{.groups = 16, .open = 20, .ended = 10, .lines = 5, .samples = 8};
  Scene scene(limits);
  std::mt19937 random(1);
  const auto any = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  for (ConnectionId conn = 1; conn <= 3'000; ++conn) {
    const test::LifeOf what{.conn = conn,
                            .pid = 1 + any(200),
                            .comm = "p" + std::to_string(any(3)),
                            .remote = "10.0." + std::to_string(any(50)) + ".1",
                            .port = static_cast<std::uint16_t>(1 + any(100)),
                            .tx = any(1000),
                            .rx = any(1000),
                            .retransmits = any(3),
                            .outcome = any(5) == 0 ? Outcome::refused : Outcome::completed};
    if (any(3) == 0) scene.open(what);
    scene.end(what);
    scene.found(conn, Rule::keepalive, "x");
    if (any(20) == 0) scene.tick();
    for (const By by : {By::process, By::remote, By::listener}) {
      Counts sum = scene.model.other(by).total;
      std::uint64_t rows = 0;
      for (const Group* group : scene.model.groups(by)) {
        sum += group->total;
        ++rows;
      }
      ASSERT_EQ(sum, scene.model.total()) << conn;
      ASSERT_LE(rows, limits.groups);
    }
    ASSERT_LE(scene.model.connections().size(), limits.open + 2 * limits.ended);
    ASSERT_LE(scene.model.lines().size(), limits.lines);
    ASSERT_LE(scene.model.samples().size(), limits.samples);
  }
  EXPECT_GT(scene.model.in_other(By::process), 0U);
}

TEST(TopModel, AGroupThatIsUsedKeepsItsRow) {
  Scene scene({.groups = 8});
  for (ConnectionId conn = 1; conn <= 100; ++conn) {
    scene.end({.conn = conn, .pid = static_cast<std::uint32_t>(1000 + conn), .comm = "once"});
    scene.open({.conn = 5000, .pid = 7, .comm = "server", .tx = conn}).tick();
  }
  const auto rows = scene.model.groups(By::process);
  const auto server = std::ranges::find(rows, 7U, [](const Group* group) { return group->pid; });
  ASSERT_NE(server, rows.end());
  EXPECT_EQ((*server)->total.tx, 100U);
  EXPECT_EQ((*server)->total.begun, 1U);
}

TEST(TopModel, OpenConnectionsBeyondTheLimitCountAtTheirEnd) {
  Scene scene({.open = 1});
  scene.open({.conn = 1, .tx = 10}).open({.conn = 2, .tx = 20}).tick();
  EXPECT_EQ(scene.model.open(), 2U);
  EXPECT_EQ(scene.model.not_followed(), 1U);
  EXPECT_EQ(scene.model.total().tx, 10U);
  scene.end({.conn = 2, .tx = 25}).tick();
  EXPECT_EQ(scene.model.total().tx, 35U);
}

// ---- What it costs ----

#ifdef __has_feature  // Clang, which builds the sanitized tests
constexpr bool slowed = __has_feature(address_sanitizer);
#else
constexpr bool slowed = false;
#endif

std::int64_t cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

// 20,000 a second from 2,000 addresses, and 2,000 that are open: added up, sorted, laid out once.
TEST(TopCost, ASecondOfTwentyThousandConnectionsTakesTwoPerCentOfIt) {
  std::vector<Report> lives;
  for (ConnectionId conn = 1; conn <= 20'000; ++conn)
    lives.emplace_back(test::life_of({.conn = conn,
                                      .pid = static_cast<std::uint32_t>(100 + conn % 50),
                                      .remote = fmt::format("10.0.{}.{}", conn % 10, conn % 200),
                                      .tx = 100}));
  std::vector<Report> looks;
  for (ConnectionId conn = 30'001; conn <= 32'000; ++conn)
    looks.emplace_back(Interim{.life = test::life_of({.conn = conn, .tx = conn, .outcome = Outcome::open})});
  std::int64_t best = INT64_MAX;
  Scene scene;
  for (int round = 0; round < 8; ++round) {
    const std::int64_t begun = cpu_ns();
    for (const Report& report : lives) scene.model.take(report);
    for (const Report& report : looks) scene.model.take(report);
    scene.tick();
    View view;
    view.table = round % 2 == 0 ? Table::connection : Table::remote;
    static_cast<void>(layout(scene.model, view, {.width = 132, .height = 40, .utf8 = true}));
    best = std::min(best, cpu_ns() - begun);
  }
  RecordProperty("microseconds", static_cast<int>(best / 1000));
  EXPECT_LT(best, slowed ? 400'000'000 : 20'000'000);
}

// ---- Names ----

TEST(TopCells, WhatIsNoPlainLetterIsAQuestionMark) {
  EXPECT_EQ(shown("curl", true), "curl");
  EXPECT_EQ(shown("\x1b[2Jx\x07", true), "?[2Jx?");
  EXPECT_EQ(shown("a\u0301", true), "a?") << "combines";
  EXPECT_EQ(shown("\u202eabc", true), "?abc") << "turns the line round";
  EXPECT_EQ(shown("\u05d0\u0627", true), "??") << "right to left";
  EXPECT_EQ(shown("\u200b\ufeff", true), "??") << "no width";
  EXPECT_EQ(shown("\U0001F600", true), "?") << "one cell or two";
  EXPECT_EQ(shown("\u6f22\u00e9", true), "\u6f22\u00e9");
  EXPECT_EQ(shown("\u6f22\u00e9", false), "??");
  EXPECT_EQ(shown("\xff\xc3", true), "??");
  EXPECT_EQ(shown("\u009b31m", true), "?31m") << "C1's CSI";
}

TEST(TopCells, AWideCharacterIsNeverHalved) {
  EXPECT_EQ(columns("\u6f22\u5b57"), 4U);
  EXPECT_EQ(cut("\u6f22\u5b57", 4), "\u6f22\u5b57");
  EXPECT_EQ(cut("\u6f22\u5b57", 3), "\u6f22~");
  EXPECT_EQ(cut("\u6f22\u5b57", 2), "~");
  EXPECT_EQ(cut("abc", 0), "");
}

TEST(TopPainted, OnlyOurColoursAreTaken) {
  const auto rows = rows_of("a \x1b[31mred\x1b[0m b\n\x1b[2Jx\n", 20, true);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].text(), "a red b");
  EXPECT_EQ(rows[0].pieces().at(1).look.colour, Colour::bad);
  EXPECT_EQ(rows[1].text(), "?[2Jx");
}

// ---- The screen ----

TEST(TopLayout, NoRowIsWiderThanTheScreenWhateverItsSize) {
  const Scene scene = test::busy();
  for (std::size_t width = 0; width < 150; ++width) {
    for (const std::size_t height : {0U, 1U, 2U, 11U, 12U, 13U, 24U, 60U}) {
      for (const auto table : {Table::process, Table::remote, Table::listener, Table::connection}) {
        for (const auto mode : {Mode::tables, Mode::help, Mode::timeline}) {
          View view;
          view.table = table;
          view.mode = mode;
          view.opened = 2;
          Surroundings around{.width = width, .height = height, .utf8 = width % 2 == 0, .source = "live"};
          const Frame frame = layout(scene.model, view, around);
          ASSERT_LE(frame.size(), height);
          for (const Row& row : frame) ASSERT_LE(columns(row.text()), width) << row.text();
        }
      }
    }
  }
}

TEST(TopLayout, NoSentenceOfTheHelpIsCut) {
  const Scene scene;
  for (const std::size_t width : {60U, 80U, 120U}) {
    View view;
    view.mode = Mode::help;
    std::string all;
    for (const Row& row : layout(scene.model, view, {.width = width, .height = 80})) {
      EXPECT_FALSE(row.text().contains('~')) << row.text();
      all += row.text().substr(std::min<std::size_t>(row.text().find_first_not_of(' '), row.text().size())) + ' ';
    }
    EXPECT_TRUE(all.contains("or is written from right to left.")) << all;
    EXPECT_TRUE(all.contains("that began and ended in between")) << all;
  }
}

TEST(TopLayout, WordsAreWrappedAndNeverWiderThanTheRow) {
  const auto rows = words_in("one two three", 2, 9);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].text(), "  one two");
  EXPECT_EQ(rows[1].text(), "  three");
  for (std::size_t width = 0; width < 12; ++width) {
    for (const Row& row : words_in("a looooooooong word", 4, width)) EXPECT_LE(columns(row.text()), width);
  }
}

TEST(TopLayout, HostileNamesStayInTheirColumn) {
  const Scene scene = test::busy();
  View view;
  view.totals = true;
  const Frame frame = layout(scene.model, view, {.width = 80, .height = 40, .utf8 = true});
  std::size_t rows = 0;
  for (const Row& row : frame) {
    const std::string text = row.text();
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("\u202e"), std::string::npos);
    if (text.find("?[31mred?") != std::string::npos || text.find("\u6f22\u5b57??") != std::string::npos) {
      EXPECT_EQ(columns(text), 80U) << text;
      ++rows;
    }
  }
  EXPECT_EQ(rows, 2U);
}

TEST(TopLayout, NumbersAreShort) {
  for (const auto& [number, text] : {std::pair<double, std::string>{0, "0"},
                                     {0.3, "0.3"},
                                     {12, "12"},
                                     {99'999, "99999"},
                                     {123'456, "123K"},
                                     {1'234'567, "1.2M"},
                                     {5e12, "999.0G"}})
    EXPECT_EQ(short_count(number), text);
}

TEST(TopLayout, ASparklineIsAsHighAsItsHighest) {
  std::deque<top::Sample> samples;
  for (const double value : {0.0, 1.0, 4.0, 8.0}) samples.push_back({.begun = value});
  EXPECT_EQ(sparkline(samples, &top::Sample::begun, 6, true), "   \u2581\u2584\u2588");
  EXPECT_EQ(sparkline(samples, &top::Sample::begun, 2, true), "\u2584\u2588");
  EXPECT_EQ(sparkline(samples, &top::Sample::begun, 4, false), " .:#");
  EXPECT_EQ(sparkline({}, &top::Sample::begun, 3, true), "   ");
}

// ---- Keys ----

TEST(TopKeys, TheChosenRowIsFollowedWhenTheOrderChanges) {
  Scene scene;
  scene.open({.conn = 1, .pid = 1, .comm = "a", .tx = 100}).open({.conn = 2, .pid = 2, .comm = "b", .tx = 50}).tick();
  View view;
  EXPECT_EQ(press(view, {.key = Key::down}, scene.model), Wish::none);
  EXPECT_EQ(items(scene.model, view).at(place_of(items(scene.model, view), view)).group->name, "b");
  scene.open({.conn = 1, .pid = 1, .comm = "a", .tx = 101})
      .open({.conn = 2, .pid = 2, .comm = "b", .tx = 5'000})
      .tick();
  EXPECT_EQ(items(scene.model, view).front().group->name, "b");
  EXPECT_EQ(place_of(items(scene.model, view), view), 0U);
}

TEST(TopKeys, SortAndInvert) {
  Scene scene;
  scene.end({.conn = 1, .pid = 1, .comm = "a", .tx = 5, .rx = 100})
      .end({.conn = 2, .pid = 2, .comm = "b", .tx = 50})
      .tick();
  View view;
  const auto first = [&] { return items(scene.model, view).front().group->name; };
  EXPECT_EQ(first(), "b");
  press(view, key(U'I'), scene.model);
  EXPECT_EQ(first(), "a");
  press(view, key(U'r'), scene.model);
  EXPECT_EQ(first(), "a");
  press(view, key(U's'), scene.model);
  EXPECT_EQ(first(), "b");
  press(view, {.key = Key::f6}, scene.model);
  EXPECT_EQ(view.sorting().column, Column::rx);
  press(view, key(U'<'), scene.model);
  EXPECT_EQ(view.sorting().column, Column::tx);
}

TEST(TopKeys, EnterLeadsFromAProcessToItsConnectionsToATimeline) {
  Scene scene = test::busy();
  View view;
  press(view, {.key = Key::enter}, scene.model);
  EXPECT_EQ(view.table, Table::connection);
  EXPECT_EQ(view.filter, "500");
  ASSERT_EQ(items(scene.model, view).size(), 1U);
  press(view, {.key = Key::enter}, scene.model);
  EXPECT_EQ(view.mode, Mode::timeline);
  EXPECT_EQ(view.opened, 1U);
  EXPECT_EQ(press(view, key(U'e'), scene.model), Wish::story);
  EXPECT_EQ(view.mode, Mode::story);
  EXPECT_EQ(press(view, key(U'q'), scene.model), Wish::none) << "back, not out";
  EXPECT_EQ(view.mode, Mode::tables);
  EXPECT_EQ(press(view, key(U'q'), scene.model), Wish::quit);
}

TEST(TopKeys, AFilterTakesLettersThatAreKeysElsewhere) {
  const Scene scene = test::busy();
  View view;
  press(view, key(U'/'), scene.model);
  for (const char32_t c : U"NGq") {
    if (c != 0) {
      EXPECT_EQ(press(view, key(c), scene.model), Wish::none);
    }
  }
  EXPECT_EQ(view.filter, "NGq");
  press(view, {.key = Key::backspace}, scene.model);
  press(view, {.key = Key::enter}, scene.model);
  ASSERT_EQ(items(scene.model, view).size(), 1U);
  EXPECT_EQ(items(scene.model, view).front().group->name, "nginx");
  press(view, {.key = Key::escape}, scene.model);
  EXPECT_EQ(view.filter, "");
}

TEST(TopKeys, OnlyOpenOnlyBad) {
  const Scene scene = test::busy();
  View view;
  view.table = Table::connection;
  press(view, key(U'a'), scene.model);
  for (const Item& item : items(scene.model, view)) EXPECT_TRUE(item.connection->open);
  press(view, key(U'a'), scene.model);
  EXPECT_FALSE(items(scene.model, view).empty());
  for (const Item& item : items(scene.model, view)) EXPECT_TRUE(item.connection->bad);
}

TEST(TopKeys, AFindingLeadsToItsConnection) {
  const Scene scene = test::busy();
  View view;
  press(view, key(U'f'), scene.model);
  press(view, {.key = Key::up}, scene.model);
  press(view, {.key = Key::up}, scene.model);
  press(view, {.key = Key::enter}, scene.model);
  EXPECT_EQ(view.mode, Mode::timeline);
  EXPECT_EQ(view.opened, 2U);
}

// Keys at random, at random sizes, on a model that changes: nothing but the end they ask for.
TEST(TopKeys, NoKeyBreaksIt) {
  Scene scene = test::busy();
  std::mt19937 random(7);
  View view;
  for (int i = 0; i < 5'000; ++i) {
    const auto which = static_cast<Key>(random() % (static_cast<unsigned>(Key::redraw) + 1));
    press(view, {.key = which, .character = static_cast<char32_t>(0x20 + random() % 0x60)}, scene.model);
    if (random() % 50 == 0) {
      scene.end({.conn = 1'000U + static_cast<ConnectionId>(i), .comm = "x"}).tick();
    }
    Surroundings around{.width = random() % 140, .height = random() % 50, .utf8 = true};
    around.text.assign(random() % 100, Row(around.width));
    const Frame frame = layout(scene.model, view, around);
    ASSERT_LE(frame.size(), around.height);
  }
}

// ---- What is kept ----

TEST(TopKept, TheFirstAndTheNewestEventsStay) {
  Kept kept({.first = 2, .last = 3});
  for (EventId id = 1; id <= 10; ++id) kept.take(Entry{.conn = 1, .id = id, .body = StateEntry{}});
  const Kept::Of* of = kept.find(1);
  ASSERT_NE(of, nullptr);
  EXPECT_EQ(of->first.size(), 2U);
  EXPECT_EQ(of->last.size(), 3U);
  EXPECT_EQ(of->left_out, 5U);
  EXPECT_EQ(std::get<Entry>(of->last.back()).id, 10U);
  EXPECT_EQ(kept.size(), 5U);
}

TEST(TopKept, WhatIsOverGoesFirstAndWhatIsLookedAtStays) {
  Kept kept({.all = 10});
  const auto entry = [&](ConnectionId conn) { kept.take(Entry{.conn = conn, .body = StateEntry{}}); };
  entry(1);
  kept.take(Report(test::life_of({.conn = 1})));
  entry(2);
  kept.take(Report(test::life_of({.conn = 2})));
  entry(3);
  kept.watch(1);
  for (int i = 0; i < 8; ++i) entry(4);
  EXPECT_NE(kept.find(1), nullptr);
  EXPECT_EQ(kept.find(2), nullptr);
  EXPECT_NE(kept.find(4), nullptr);
  EXPECT_LE(kept.size(), 10U + 1);
}

}  // namespace
}  // namespace tcpwitness::top

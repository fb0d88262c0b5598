// SPDX-License-Identifier: Apache-2.0
// open_socket_test.cpp: what a single look at a socket shows, and what it almost shows.
#include "judge/open_socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "cli/options.hpp"
#include "golden/reports.hpp"
#include "sink/format.hpp"
#include "sink/views/sockets.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t ten_s = 10'000'000'000;

OpenSocket in(TcpState state) {
  OpenSocket socket;
  socket.cookie = 7;
  socket.flow = golden::flow("10.0.0.1", 40000, "10.0.0.2", 5432);
  socket.state = state;
  socket.has_control_block = state != TcpState::listen;
  socket.has_queues = true;
  socket.cb.state = state;
  socket.cb.snd_una = socket.cb.snd_nxt = socket.cb.write_seq = 1000;
  socket.cb.rcv_nxt = socket.cb.copied_seq = 5000;
  socket.cb.snd_wnd = socket.cb.rcv_wnd = 64000;
  socket.cb.since_received_ms = 20'000;
  socket.cb.rto_us = 204'000;
  socket.holders = {{.pid = 42, .comm = "server", .fd = 9}};
  return socket;
}

std::vector<std::string> rules(const OpenSocket& socket) {
  std::vector<std::string> names;
  for (const Finding& finding : judge_open_socket(socket, ten_s)) names.emplace_back(name(finding.rule));
  return names;
}
using Rules = std::vector<std::string>;

TEST(OpenSocket, OneThatIsIdleHasNothing) { EXPECT_EQ(rules(in(TcpState::established)), Rules{}); }

TEST(OpenSocket, ThePeerHasClosedAndTheProcessHasNot) {
  OpenSocket socket = in(TcpState::close_wait);
  EXPECT_EQ(rules(socket), Rules{"close-wait-stuck"});
  EXPECT_TRUE(sentence(judge_open_socket(socket, ten_s)[0]).contains("server[42] (descriptor 9) has not closed"));
  socket.cb.since_received_ms = 9'999;
  EXPECT_EQ(rules(socket), Rules{});
}

TEST(OpenSocket, WhatWaitsForAcceptIsNoProcessesToClose) {
  OpenSocket socket = in(TcpState::close_wait);
  socket.holders.clear();
  EXPECT_TRUE(sentence(judge_open_socket(socket, ten_s)[0]).contains("a process that is not known has not closed"));
  socket.cb.details |= bits(SocketDetail::unaccepted);
  EXPECT_TRUE(sentence(judge_open_socket(socket, ten_s)[0]).contains("the connection waits for accept()"));
}

TEST(OpenSocket, ThisSideHasClosedAndThePeerHasNot) {
  OpenSocket socket = in(TcpState::fin_wait2);
  EXPECT_EQ(rules(socket), Rules{"peer-not-closing"});
  // shutdown(SHUT_WR): the answer may still come.
  EXPECT_EQ(judge_open_socket(socket, ten_s)[0].confidence, Confidence::likely);
  socket.holders.clear();  // the kernel's own timer ends it
  EXPECT_EQ(rules(socket), Rules{});
}

TEST(OpenSocket, AClosedWindowMattersWhereBytesWait) {
  OpenSocket socket = in(TcpState::established);
  socket.cb.snd_wnd = 0;
  EXPECT_EQ(rules(socket), Rules{});
  socket.cb.write_seq += 500;
  EXPECT_EQ(rules(socket), Rules{"zero-window"});
  OpenSocket reader = in(TcpState::established);
  reader.cb.rcv_wnd = 0;
  EXPECT_EQ(rules(reader), Rules{});
  reader.recv_queue = 64'000;
  EXPECT_EQ(rules(reader), Rules{"zero-window"});
}

std::string text(const OpenSocket& socket) {
  const auto found = judge_open_socket(socket, ten_s);
  return found.size() == 1 ? sentence(found[0]) : "(not one)";
}

TEST(OpenSocket, AFinIsNoByteThatWaits) {
  OpenSocket socket = in(TcpState::fin_wait1);
  socket.cb.snd_wnd = 0;
  socket.cb.write_seq += 1;
  socket.cb.icsk_probes_out = 1;
  EXPECT_EQ(text(socket), "the peer's receive window is 0; the FIN waits to be sent, 1 probe is unanswered");
  socket.cb.write_seq += 1;
  EXPECT_EQ(text(socket), "the peer's receive window is 0; 1 byte waits to be sent, 1 probe is unanswered");
  socket.cb.snd_nxt = socket.cb.write_seq;  // the FIN has been sent
  EXPECT_EQ(rules(socket), Rules{});
  OpenSocket open = in(TcpState::established);
  open.cb.snd_wnd = 0;
  open.cb.write_seq += 1;
  EXPECT_EQ(text(open), "the peer's receive window is 0; 1 byte waits to be sent, 0 probes are unanswered");
  open.cb.write_seq += 1;
  EXPECT_EQ(text(open), "the peer's receive window is 0; 2 bytes wait to be sent, 0 probes are unanswered");
}

TEST(OpenSocket, ShortTimesHaveTheirUnit) {
  OpenSocket socket = in(TcpState::close_wait);
  socket.cb.since_received_ms = 50;
  const auto found = judge_open_socket(socket, 0);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(sentence(found[0]).contains("at least 50 ms ago")) << sentence(found[0]);
  socket.cb.since_received_ms = 1500;
  EXPECT_TRUE(sentence(judge_open_socket(socket, 0)[0]).contains("at least 1.50 s ago"));
}

TEST(OpenSocket, TimeoutsAreRetransmissions) {
  OpenSocket socket = in(TcpState::syn_sent);
  socket.cb.total_retrans = 3;
  EXPECT_EQ(rules(socket), Rules{});
  socket.cb.icsk_retransmits = 3;
  EXPECT_TRUE(sentence(judge_open_socket(socket, ten_s)[0]).contains("the SYN was retransmitted 3 times"));
}

TEST(OpenSocket, ProbesOfAnIdleConnectionAreKeepAlives) {
  OpenSocket socket = in(TcpState::established);
  socket.cb.keepalive_probes = 9;
  socket.cb.icsk_probes_out = 2;
  EXPECT_EQ(rules(socket), Rules{"keepalive"});
  socket.cb.write_seq += 1;
  EXPECT_EQ(rules(socket), Rules{});
}

TEST(OpenSocket, AnAcceptQueueIsFullWhereMoreWaitThanMay) {
  OpenSocket socket = in(TcpState::listen);
  socket.recv_queue = 5;
  socket.send_queue = 5;  // the kernel still takes one more
  EXPECT_EQ(rules(socket), Rules{});
  socket.recv_queue = 6;
  EXPECT_EQ(rules(socket), Rules{"accept-queue-full"});
}

TEST(OpenSocket, QueuesAreBytesWithoutSynAndFin) {
  ControlBlock cb = in(TcpState::close_wait).cb;
  cb.rcv_nxt += 1;  // the FIN alone
  EXPECT_EQ(unread_bytes(cb), 0U);
  cb.rcv_nxt += 10;
  EXPECT_EQ(unread_bytes(cb), 10U);
  ControlBlock closing = in(TcpState::fin_wait1).cb;
  closing.write_seq += 1;
  EXPECT_EQ(unacknowledged_bytes(closing), 0U);
  closing.snd_una -= 99;
  EXPECT_EQ(unacknowledged_bytes(closing), 99U);
  ControlBlock connecting = in(TcpState::syn_sent).cb;
  connecting.write_seq += 1;
  EXPECT_EQ(unacknowledged_bytes(connecting), 0U);
  ControlBlock wrapped = in(TcpState::established).cb;
  wrapped.snd_una = 0xffff'ff00;
  wrapped.write_seq = 0x100;
  EXPECT_EQ(unacknowledged_bytes(wrapped), 0x200U);
}

template <typename Write>
std::vector<std::string> written(Write write) {
  const std::string path = ::testing::TempDir() + "tw-listing";
  {
    Output output(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600));
    write(output);
    EXPECT_TRUE(output.flush());
  }
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(OpenSocket, QueuesThatAreNotKnownAreNotZero) {
  OpenSocket socket = in(TcpState::listen);
  socket.has_queues = false;  // not from sock_diag
  const SocketListing unknown{.ts_ns = golden::midnight, .sockets = {{socket, {}}}, .all = 1};
  socket.has_queues = true;
  const SocketListing known{.ts_ns = golden::midnight, .sockets = {{socket, {}}}, .all = 1};
  const auto line = [](const SocketListing& of, auto write) {
    return written([&](Output& output) { write(output, of); }).back();
  };
  const auto as_text = [](Output& output, const SocketListing& of) { write_sockets_text(output, of, {}, false); };
  EXPECT_TRUE(line(unknown, as_text).starts_with("LISTEN            -      - 10.0.0.1")) << line(unknown, as_text);
  EXPECT_TRUE(line(known, as_text).starts_with("LISTEN            0      0 10.0.0.1")) << line(known, as_text);
  EXPECT_FALSE(line(unknown, write_sockets_json).contains("accept_queue"));
  EXPECT_TRUE(line(known, write_sockets_json).contains(R"("accept_queue":0,"accept_queue_limit":0)"));
  EXPECT_TRUE(line(unknown, write_sockets_csv).contains(",1,,,")) << line(unknown, write_sockets_csv);
  EXPECT_TRUE(line(known, write_sockets_csv).contains(",1,0,0,")) << line(known, write_sockets_csv);
}

SocketListing listing() {
  OpenSocket listener = in(TcpState::listen);
  listener.flow.remote = {};
  listener.recv_queue = 6;
  listener.send_queue = 5;
  listener.holders.push_back({.pid = 43, .comm = "server", .fd = 9});
  OpenSocket stuck = in(TcpState::close_wait);
  SocketListing listing{.ts_ns = golden::midnight, .sockets = {}, .all = 2};
  for (const OpenSocket& socket : {listener, stuck})
    listing.sockets.push_back({socket, judge_open_socket(socket, ten_s)});
  return listing;
}

TEST(OpenSocket, TheTableNeverWraps) {
  for (unsigned width = 30; width <= 200; ++width) {
    const auto lines = written([&](Output& output) { write_sockets_text(output, listing(), {.width = width}, true); });
    ASSERT_EQ(lines.size(), 4U);
    for (const std::string& line : lines) EXPECT_LE(columns(line), width) << line;
  }
  const auto lines = written([&](Output& output) { write_sockets_text(output, listing(), {}, false); });
  EXPECT_TRUE(lines.at(1).starts_with("LISTEN            6      5 10.0.0.1:40000")) << lines.at(1);
  EXPECT_TRUE(lines.at(1).contains("42 server+1")) << lines.at(1);
  EXPECT_TRUE(lines.at(2).ends_with("close-wait-stuck")) << lines.at(2);
}

TEST(OpenSocket, TheOwnerHasAPlaceInEightyColumns) {
  const auto lines = written([&](Output& output) { write_sockets_text(output, listing(), {.width = 80}, false); });
  EXPECT_TRUE(lines.at(0).contains(" PID ")) << lines.at(0);
  EXPECT_TRUE(lines.at(1).contains(" 42 server+1")) << lines.at(1);
}

TEST(OpenSocket, ASecondListTakesTheScreenOfTheFirst) {
  const auto print = [](bool screen, bool again) {
    return written([&](Output& output) { write_sockets_text(output, listing(), {.screen = screen}, again); }).at(0);
  };
  EXPECT_TRUE(print(true, true).starts_with("\x1b[H\x1b[2J-- "));
  EXPECT_TRUE(print(false, true).starts_with("-- "));
  EXPECT_TRUE(print(true, false).starts_with("STATE"));
}

TEST(OpenSocket, TheOtherFormsHaveTheSame) {
  const auto json = written([&](Output& output) { write_sockets_json(output, listing()); });
  ASSERT_EQ(json.size(), 3U);
  EXPECT_TRUE(json[0].contains(R"("type":"listing")"));
  EXPECT_TRUE(json[1].contains(R"("accept_queue":6,"accept_queue_limit":5)")) << json[1];
  EXPECT_TRUE(json[2].contains(R"("owners":[{"pid":42,"comm":"server","fd":9}])")) << json[2];
  EXPECT_TRUE(json[2].contains(R"("rule":"close-wait-stuck","confidence":"certain")")) << json[2];
  const auto csv = written([&](Output& output) {
    write_sockets_csv_header(output);
    write_sockets_csv(output, listing());
  });
  ASSERT_EQ(csv.size(), 3U);
  for (const std::string& line : csv) EXPECT_EQ(std::ranges::count(line, ','), 17) << line;
}

// Two processes have it (a fork, a passed descriptor): ls -p and --comm ask for one.
TEST(OpenSocket, WhoWasAskedForIsNamed) {
  OpenSocket socket = in(TcpState::close_wait);
  socket.holders = {
      {.pid = 42, .comm = "parent", .fd = 3}, {.pid = 43, .comm = "child", .fd = 4}, {.pid = 44, .comm = "x"}};
  const auto pids = [&] {
    std::vector<std::uint32_t> all;
    for (const SocketHolder& holder : socket.holders) all.push_back(holder.pid);
    return all;
  };
  using Pids = std::vector<std::uint32_t>;
  EXPECT_FALSE(put_first(socket.holders, [](const SocketHolder& holder) { return holder.pid == 45; }));
  EXPECT_EQ(pids(), (Pids{42, 43, 44}));
  EXPECT_TRUE(put_first(socket.holders, [](const SocketHolder& holder) { return holder.pid != 45; }));
  EXPECT_EQ(pids(), (Pids{42, 43, 44})) << "the first of several";
  EXPECT_TRUE(put_first(socket.holders, [](const SocketHolder& holder) { return holder.comm == "x"; }));
  EXPECT_EQ(pids(), (Pids{44, 42, 43})) << "the others stay in their order";
  EXPECT_TRUE(put_first(socket.holders, [](const SocketHolder& holder) { return holder.comm == "child"; }));
  const SocketListing asked{
      .ts_ns = golden::midnight, .sockets = {{socket, judge_open_socket(socket, ten_s)}}, .all = 1};
  const auto text = written([&](Output& output) { write_sockets_text(output, asked, {}, false); });
  EXPECT_TRUE(text.at(1).contains("43 child+2")) << text.at(1);
  const auto json = written([&](Output& output) { write_sockets_json(output, asked); });
  EXPECT_TRUE(json.at(1).contains(R"("owners":[{"pid":43,"comm":"child","fd":4},)")) << json.at(1);
  EXPECT_TRUE(json.at(1).contains("child[43] (descriptor 4) has not closed")) << json.at(1);
  const auto csv = written([&](Output& output) { write_sockets_csv(output, asked); });
  EXPECT_TRUE(csv.at(0).contains(",43,child,3,")) << csv.at(0);
}

TEST(OpenSocket, AWideNameKeepsTheColumns) {
  SocketListing one = listing();
  one.sockets[0].socket.holders = {{.pid = 42, .comm = "\u6f22\u5b57\u6f22"}};
  for (unsigned width = 30; width <= 200; ++width) {
    for (const std::string& line :
         written([&](Output& output) { write_sockets_text(output, one, {.utf8 = true, .width = width}, false); }))
      EXPECT_LE(columns(line), width) << line;
  }
}

Options options(const std::vector<std::string>& arguments) {
  const Parsed parsed = parse(arguments, "1");
  const auto* given = std::get_if<Options>(&parsed);
  EXPECT_NE(given, nullptr);
  return given != nullptr ? *given : Options();
}

TEST(OpenSocket, LsHasItsOptions) {
  const Options all = options({"ls", "--every", "2", "-d", "10", "--problems", "-p", "7", "not port 22"});
  EXPECT_EQ(all.command, Command::ls);
  EXPECT_EQ(all.every, std::chrono::seconds(2));
  EXPECT_EQ(all.expression, "not port 22");
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"ls", "--wire", "none"},
                                                {"ls", "--slower-than", "1s"},
                                                {"ls", "-d", "1"},
                                                {"ls", "--", "true"},
                                                {"life", "--every", "1"}}) {
    const Parsed parsed = parse(wrong, "1");
    EXPECT_TRUE(std::holds_alternative<UsageError>(parsed)) << wrong[1];
  }
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
//
// tcpwitness compare: the sums against nstat, tcpdump and tshark, and each reason for a difference with a case of the
// lab that makes it.

#include <csignal>
#include <filesystem>
#include <map>
#include <set>

#include "live/courses.hpp"
#include "live/tcpdump.hpp"

namespace tcpwitness::live {
namespace {

int64_t sum_of(const Json& parts, const std::string& where, const std::string& reason = "") {
  int64_t sum = 0;
  for (const Json& part : parts) {
    if (part["where"] == where && (reason.empty() || part.value("reason", "") == reason))
      sum += part["amount"].get<int64_t>();
  }
  return sum;
}

// kernel + parts = wire, of each count.
void expect_exact(const Json& one) {
  for (const char* side : {"tx", "rx"}) {
    for (const char* what : {"bytes", "segments", "retransmits"}) {
      const Json& count = one[side][what];
      if (count["kernel"].is_null() || count["wire"].is_null()) continue;
      int64_t sum = count["kernel"].get<int64_t>();
      for (const Json& part : count["parts"]) sum += part["amount"].get<int64_t>();
      EXPECT_EQ(sum, count["wire"].get<int64_t>()) << side << " " << what << ": " << one.dump();
      EXPECT_EQ(sum_of(count["parts"], "unexplained"), 0) << side << " " << what << ": " << one.dump();
    }
  }
}

struct Compared {
  std::vector<Json> each;
  Json total;
  Ended ended;
};

Compared read_back(Ended ended, bool again = false) {
  Compared all;
  const Printed printed(ended.out);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(printed.broken().empty());
  all.each = printed.of("comparison");
  const auto totals = printed.of("comparison_total");
  if (!again) {
    EXPECT_EQ(totals.size(), 1U) << ended.out;
  }
  if (!totals.empty()) all.total = totals.back();
  all.ended = std::move(ended);
  return all;
}

}  // namespace

class Compare : public Live {
 protected:
  std::unique_ptr<TracerRun> start(const std::string& netns, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"compare", "-o", "json", "--netns", netns};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto run = TracerRun::start(arguments);
    if (!run) {
      ADD_FAILURE() << run.error();
      return nullptr;
    }
    const auto ready = (*run)->wait_ready();
    EXPECT_TRUE(ready) << ready.error();
    return std::move(*run);
  }
  // Plays a case and hands back the comparison of its connection on this side.
  Json compared(const std::string& name, lab::Side side) {
    const lab::Case* what = lab::find_case(name);
    if (what == nullptr) {
      ADD_FAILURE() << "no case " << name;
      return {};
    }
    auto performance = lab::Performance::open(lab(), *what);
    if (!performance) {
      ADD_FAILURE() << performance.error();
      return {};
    }
    auto tracer = start(lab().host(side).name());
    if (!tracer) return {};
    const auto played = (*performance)->finish();
    EXPECT_TRUE(played) << played.error();
    if (!played) return {};
    lab::pause_for(Millis(300));
    const Compared all = read_back(tracer->stop());
    const lab::Endpoint& local = side == lab::Side::client ? played->client_at : played->server_at;
    const lab::Endpoint& remote = side == lab::Side::client ? played->server_at : played->client_at;
    for (const Json& one : all.each) {
      if (one["local"]["port"] != local.port || one["remote"]["port"] != remote.port) continue;
      EXPECT_TRUE(one["compared"].get<bool>()) << one.dump();
      expect_exact(one);
      return one;
    }
    ADD_FAILURE() << "not compared: " << all.ended.out;
    return {};
  }
};

TEST_F(Compare, AHealthyConnectionAgreesOnBothSides) {
  const Json client = compared("close-client", lab::Side::client);
  ASSERT_FALSE(client.empty());
  for (const char* side : {"tx", "rx"}) {
    for (const char* what : {"bytes", "segments", "retransmits"}) {
      for (const Json& part : client[side][what]["parts"]) {
        EXPECT_EQ(part["where"], "mini-socket") << "its process closed first: " << client.dump();
      }
    }
    EXPECT_EQ(client[side]["left_out"], Json::array());
  }
  for (const char* time : {"handshake_kernel_ns", "handshake_wire_ns", "round_trip_wire_ns",
                           "arrival_to_established_ns", "connect_to_wire_ns", "close_to_wire_ns"}) {
    EXPECT_TRUE(client["times"].contains(time)) << time << ": " << client.dump();
  }
}

TEST_F(Compare, TheSynAckIsTheListeners) {
  const Json server = compared("close-client", lab::Side::server);
  ASSERT_FALSE(server.empty());
  EXPECT_EQ(sum_of(server["tx"]["segments"]["parts"], "listener"), 1) << server.dump();
  EXPECT_EQ(server["tx"]["segments"]["parts"].size(), 1U) << server.dump();
  EXPECT_EQ(server["rx"]["segments"]["parts"], Json::array()) << server.dump();
}

TEST_F(Compare, WhatTheMiniSocketTakesNoSocketCounts) {
  const Json server = compared("close-server", lab::Side::server);
  ASSERT_FALSE(server.empty());
  EXPECT_EQ(sum_of(server["tx"]["segments"]["parts"], "mini-socket"), 1) << server.dump();
  EXPECT_EQ(server["rx"]["segments"]["parts"].size(), 1U) << server.dump();
  EXPECT_EQ(sum_of(server["rx"]["segments"]["parts"], "mini-socket"), 1) << server.dump();
}

TEST_F(Compare, WhatTheFirewallDropsAtTheDoor) {
  const Json server = compared("drop-input", lab::Side::server);
  ASSERT_FALSE(server.empty());
  EXPECT_EQ(sum_of(server["rx"]["segments"]["parts"], "dropped-before-tcp", "NETFILTER_DROP"), 1) << server.dump();
  EXPECT_GT(sum_of(server["rx"]["bytes"]["parts"], "dropped-before-tcp", "NETFILTER_DROP"), 0) << server.dump();
}

TEST_F(Compare, WhatTheFirewallKeepsAtHome) {
  const Json client = compared("drop-output", lab::Side::client);
  ASSERT_FALSE(client.empty());
  EXPECT_EQ(sum_of(client["tx"]["segments"]["parts"], "never-left", "NETFILTER_DROP"), -1) << client.dump();
}

TEST_F(Compare, WhatTheQueueDrops) {
  const Json client = compared("queue-overflow", lab::Side::client);
  ASSERT_FALSE(client.empty());
  EXPECT_GT(sum_of(client["tx"]["left_out"], "queue"), 0) << client.dump();
}

TEST_F(Compare, WhatHasAWrongChecksum) {
  const Json server = compared("bad-checksum", lab::Side::server);
  ASSERT_FALSE(server.empty());
  EXPECT_GT(sum_of(server["rx"]["bytes"]["parts"], "refused-by-tcp", "TCP_CSUM"), 0) << server.dump();
}

// Two connections that go on, one of them older than the run.
TEST_F(Compare, WhatGoesOnIsComparedAgainAndAgain) {
  const std::string listens =
      "import socket,threading\n"
      "s=socket.create_server(('',9100))\n"
      "def echo(c):\n"
      "  while d := c.recv(4096): c.sendall(d)\n"
      "while True: threading.Thread(target=echo, args=(s.accept()[0],)).start()\n";
  const std::string talks =
      "import socket,sys,time\n"
      "c=socket.create_connection((sys.argv[1],9100))\n"
      "while True: c.sendall(b'x'*1000); c.recv(1000, socket.MSG_WAITALL); time.sleep(0.05)\n";
  auto server = start_in(lab().server_ns(), {"python3", "-c", listens});
  ASSERT_TRUE(server) << server.error();
  const auto talk = [&] {
    const std::string retry = "for i in $(seq 50); do python3 -c \"$0\" $1 2>/dev/null && break; sleep 0.1; done";
    return start_in(lab().client_ns(), {"bash", "-c", retry, talks, lab::server_ip});
  };
  auto older = talk();
  ASSERT_TRUE(older) << older.error();
  for (int i = 0; i < 500; ++i) {
    const auto open = run_in(lab().client_ns(), {"ss", "-tnH", "state", "established", "dport", "=", ":9100"});
    if (open && !open->empty()) break;
    lab::pause_for(Millis(20));
  }
  auto tracer = start(lab().client_ns(), {"--every", "0.3"});
  ASSERT_TRUE(tracer);
  auto newer = talk();
  ASSERT_TRUE(newer) << newer.error();
  ASSERT_TRUE(tracer->wait_for("\"interim\":true,\"connections\":2,\"compared\":2", Millis(20'000))) << tracer->out();
  lab::pause_for(Millis(700));
  const Compared all = read_back(tracer->stop(), true);
  std::set<bool> before;
  std::map<int, int64_t> sent;
  for (const Json& one : all.each) {
    if (!one["compared"].get<bool>()) continue;  // the older one before its first segment
    EXPECT_EQ(one["outcome"], "open");
    expect_exact(one);
    before.insert(one.value("open_before_start", false));
    const auto bytes = one["tx"]["bytes"]["wire"].get<int64_t>();
    EXPECT_GE(bytes, sent[one["conn"].get<int>()]) << one.dump();
    sent[one["conn"].get<int>()] = bytes;
  }
  EXPECT_EQ(before, (std::set<bool>{false, true}));
  EXPECT_FALSE(all.total.value("interim", false)) << "the last is of the whole run";
  EXPECT_EQ(all.total["open"], 2) << all.total.dump();
  EXPECT_EQ(all.total["open_before_start"], 1) << all.total.dump();
}

// A ring that is too small and a reader that stands still: what lost events is not compared, the rest is exact.
TEST_F(Compare, WhatLostEventsIsLeftOut) {
  auto tracer = start(lab().client_ns(), {"--ring-size", "64K"});
  ASSERT_TRUE(tracer);
  const auto connect = [&](int times) {
    return run_in(lab().client_ns(), {"bash", "-c",
                                      fmt::format("for i in $(seq {}); do (: >/dev/tcp/{}/{}) 2>/dev/null; done; true",
                                                  times, lab::server_ip, lab::closed_port)});
  };
  ASSERT_TRUE(connect(3));
  lab::pause_for(Millis(300));
  ASSERT_EQ(::kill(tracer->pid(), SIGSTOP), 0);
  ASSERT_TRUE(connect(200));
  ASSERT_EQ(::kill(tracer->pid(), SIGCONT), 0);
  const Compared all = read_back(tracer->stop());
  EXPECT_GT(all.total["not_compared"].value("events-lost", 0), 0) << all.total.dump();
  EXPECT_GT(all.total["compared"].get<int>(), 0) << all.total.dump();
  for (const Json& one : all.each) {
    if (one["compared"].get<bool>()) expect_exact(one);
  }
}

class CompareSums : public Compare {
 protected:
  void SetUp() override {
    for (const char* program : {"tshark", "tcpdump", "nstat", "iperf3"}) {
      if (!missing(program).empty()) GTEST_SKIP() << missing(program);
    }
    Live::SetUp();
    file_ = std::filesystem::temp_directory_path() / fmt::format("tw-compare-{}.pcap", ::getpid());
  }
  void TearDown() override {
    Live::TearDown();
    std::error_code error;
    std::filesystem::remove(file_, error);
  }
  int64_t nstat(const std::string& name) {
    const auto out = run_in(lab().client_ns(), {"nstat", "-a", "-s", "-z", name});
    std::istringstream lines(out.value_or(""));
    for (std::string line; std::getline(lines, line);) {
      std::string found;
      int64_t value = 0;
      if (std::istringstream(line) >> found >> value && found == name) return value;
    }
    ADD_FAILURE() << "nstat says nothing of " << name;
    return 0;
  }
  std::filesystem::path file_;
};

// Two downloads and two uploads over a path that loses packets.
TEST_F(CompareSums, AreThoseOfNstatAndOfTheCapture) {
  const auto lossy = run_in(lab().server_ns(),
                            {"nft",
                             "add table ip wire; add chain ip wire in { type filter hook input priority 0; }; add rule "
                             "ip wire in meta l4proto tcp ip length > 200 numgen inc mod 150 == 7 drop"});
  ASSERT_TRUE(lossy) << lossy.error();
  // TcpInSegs counts buffers, whatever GSO has put into one.
  for (const lab::Side side : {lab::Side::client, lab::Side::server}) {
    const char* link = side == lab::Side::client ? lab::client_link : lab::server_link;
    const auto single = run_in(lab().host(side).name(), {"ip", "link", "set", link, "gso_max_segs", "1"});
    ASSERT_TRUE(single) << single.error();
  }
  auto server = start_in(lab().server_ns(), {"iperf3", "-s", "-1", "-p", "5210"});
  ASSERT_TRUE(server) << server.error();
  auto second = start_in(lab().server_ns(), {"iperf3", "-s", "-1", "-p", "5211"});
  ASSERT_TRUE(second) << second.error();
  lab::pause_for(Millis(500));
  auto capture = Tcpdump::start(lab(), file_, {"-B", "65536"});
  ASSERT_TRUE(capture) << capture.error();
  auto tracer = start(lab().client_ns(), {"--ring-size", "32M"});  // a busy machine's reader may stand still
  ASSERT_TRUE(tracer);
  const int64_t out_before = nstat("TcpOutSegs");
  const int64_t in_before = nstat("TcpInSegs");
  const int64_t again_before = nstat("TcpRetransSegs");
  for (const auto& more : {std::vector<std::string>{"-p", "5210"}, {"-p", "5211", "-R"}}) {
    std::vector<std::string> argv{"iperf3", "-c", lab::server_ip, "-n", "8M", "-P", "2"};
    argv.insert(argv.end(), more.begin(), more.end());
    const auto ran = run_in(lab().client_ns(), argv);
    ASSERT_TRUE(ran) << ran.error();
  }
  lab::pause_for(Millis(500));
  const Compared all = read_back(tracer->stop());
  const int64_t out = nstat("TcpOutSegs") - out_before;
  const int64_t in = nstat("TcpInSegs") - in_before;
  const int64_t again = nstat("TcpRetransSegs") - again_before;
  const auto captured = capture->stop();
  ASSERT_TRUE(captured) << captured.error();
  ASSERT_EQ(all.total["compared"], all.total["connections"]) << all.total.dump();
  EXPECT_EQ(all.total["compared"], 6);
  for (const Json& one : all.each) expect_exact(one);
  const Json& tx = all.total["tx"];
  const Json& rx = all.total["rx"];
  EXPECT_GT(again, 0) << "nothing was lost";
  EXPECT_EQ(tx["retransmits"]["kernel"], again);
  // The kernel counts what is sent again apart. What comes for a mini-socket or none is no connection's.
  EXPECT_EQ(tx["segments"]["kernel"].get<int64_t>() + sum_of(tx["segments"]["parts"], "mini-socket"), out + again);
  EXPECT_EQ(rx["segments"]["kernel"].get<int64_t>() + sum_of(rx["segments"]["parts"], "mini-socket"), in);
  for (const auto& [side, filter] : {std::pair{"tx", "ip.src == 10.99.0.1"}, {"rx", "ip.dst == 10.99.0.1"}}) {
    const auto lengths = lab::run_tool({"tshark", "-n", "-o", "tcp.analyze_sequence_numbers:FALSE", "-r",
                                        file_.string(), "-Y", filter, "-T", "fields", "-e", "tcp.len"});
    ASSERT_TRUE(lengths) << lengths.error();
    int64_t bytes = 0;
    std::istringstream numbers(*lengths);
    for (std::string line; std::getline(numbers, line);) {
      int64_t number = 0;
      if (std::istringstream(line) >> number) bytes += number;  // else a warning of tshark's
    }
    EXPECT_EQ(all.total[side]["bytes"]["wire"], bytes) << side;
  }
}

}  // namespace tcpwitness::live

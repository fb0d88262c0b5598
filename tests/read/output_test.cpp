// SPDX-License-Identifier: Apache-2.0
// output_test.cpp: read, as users see it: what it prints of small captures, in every format.
#include <gtest/gtest.h>
#include <zlib.h>

#include "read/capture_bytes.hpp"
#include "read/json_lines.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

using nlohmann::json;

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  constexpr int with_gzip_header = 15 + 16;
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, with_gzip_header, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  std::string source = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class Read : public testing::Test {
 protected:
  Directory directory_;
  std::string two_ = directory_.file("two.pcap", Capture().arp().whole(40'001).whole(40'002, 200, 7).bytes);
};

TEST_F(Read, TellsEveryConnectionOnALine) {
  const ProgramOutput reported = tcpwitness({"read", two_});
  EXPECT_EQ(reported.status, 0);
  const auto lines = lines_of(reported.out);
  ASSERT_EQ(lines.size(), 3U) << reported.out;
  EXPECT_TRUE(lines[0].starts_with("STREAM START")) << lines[0];
  EXPECT_TRUE(lines[1].contains("2025-10-09 08:53:20 10.0.0.1:40001        -> 10.0.0.2:80")) << lines[1];
  EXPECT_TRUE(lines[1].contains("local     completed")) << lines[1];
  EXPECT_TRUE(lines[2].contains("10.0.0.7:40002")) << lines[2];
}

TEST_F(Read, HasNoColumnForWhatNoCaptureKnows) {
  const std::string header = lines_of(tcpwitness({"read", two_}).out).at(0);
  for (const char* title : {"PID", "COMM", "SRC", "SRTT"}) EXPECT_FALSE(header.contains(title)) << title;
  EXPECT_FALSE(tcpwitness({"read", two_}).out.contains("packets only)"));
}

TEST_F(Read, SaysOnStderrWhatItReadsAndWhoSpeaks) {
  const ProgramOutput reported = tcpwitness({"read", two_});
  const auto lines = lines_of(reported.err);
  ASSERT_EQ(lines.size(), 2U) << reported.err;
  EXPECT_EQ(lines[0], "tcpwitness 0.1.0: reading " + two_ + " (pcap); capture file: packets only, no kernel events");
  EXPECT_EQ(lines[1], "tcpwitness: 2 connections in 16 TCP segments of 17 frames");
}

TEST_F(Read, JsonBeginsWithReadyAndEndsWithASummary) {
  const ProgramOutput reported = tcpwitness({"read", two_, "-o", "json"});
  EXPECT_EQ(reported.status, 0);
  const auto all = objects(reported.out);
  ASSERT_GE(all.size(), 4U);
  const json& ready = all.front();
  EXPECT_EQ(ready["type"], "ready");
  EXPECT_EQ(ready["capture"]["path"], two_);
  EXPECT_EQ(ready["capture"]["format"], "pcap");
  EXPECT_EQ(ready["capture"]["interfaces"], json::array({{{"name", nullptr}, {"link_type", 1}}}));
  EXPECT_EQ(ready["hooks"], json::array());
  EXPECT_TRUE(ready["kernel"].is_null());
  const json& summary = all.back();
  EXPECT_EQ(summary["type"], "summary");
  EXPECT_EQ(summary["connections"], 2);
  EXPECT_EQ(summary["capture"], (json{{"frames", 17}, {"segments", 16}, {"conversations", 2}}));
}

TEST_F(Read, ALifeHasTheWiresAccount) {
  const auto lives = only(objects(tcpwitness({"read", two_, "-o", "json"}).out), "life");
  ASSERT_EQ(lives.size(), 2U);
  const json& life = lives[1];
  EXPECT_EQ(life["local"], (json{{"ip", "10.0.0.7"}, {"port", 40'002}}));
  EXPECT_EQ(life["remote"], (json{{"ip", "10.0.0.2"}, {"port", 80}}));
  EXPECT_EQ(life["role"], "active");
  EXPECT_EQ(life["outcome"], "completed");
  EXPECT_EQ(life["closed_by"], "local");
  EXPECT_EQ(life["witnesses"], json::array({"wire"}));
  EXPECT_TRUE(life["pid"].is_null());
  EXPECT_EQ(life["handshake_ns"], 2'000'000);
  const json conversation = life.value("conversation", json::object());
  ASSERT_FALSE(conversation.empty());
  EXPECT_EQ(conversation["stream"], 1);
  EXPECT_EQ(conversation["completeness"], 31);
  EXPECT_EQ(conversation["tx"]["frames"], 5);
  EXPECT_EQ(conversation["tx"]["payload_bytes"], 200);
  EXPECT_EQ(conversation["tx"]["frame_bytes"], 5 * 54 + 200);
  EXPECT_EQ(conversation["rx"]["frames"], 3);
  EXPECT_EQ(conversation["rx"]["missing_bytes"], 0);
  EXPECT_EQ(life["zeek_state"], "SF");
}

TEST_F(Read, CsvIsATable) {
  const auto lines = lines_of(tcpwitness({"read", "-o", "csv", two_}).out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("type,conn,start,end,duration_s,local_ip,"));
  EXPECT_TRUE(lines[1].starts_with("life,1,2025-10-09T08:53:20.001000000Z,"));
  EXPECT_TRUE(lines[1].contains(",10.0.0.1,40001,10.0.0.2,80,active,"));
  const auto trace = lines_of(tcpwitness({"read", "--trace", "-o", "csv", two_}).out);
  EXPECT_TRUE(trace.at(0).starts_with("type,conn,id,time,witness,"));
  EXPECT_TRUE(trace.at(1).starts_with("segment,1,2,2025-10-09T08:53:20.001000000Z,wire,10.0.0.1,40001,")) << trace[1];
}

TEST_F(Read, TheTimelineHasTheNumbersOfFrames) {
  const ProgramOutput reported = tcpwitness({"read", "--trace", two_});
  EXPECT_EQ(reported.status, 0);
  const auto lines = lines_of(reported.out);
  ASSERT_GT(lines.size(), 8U);
  EXPECT_EQ(lines[0], "  frame     seconds      wire");
  EXPECT_EQ(lines[2], "#1  10.0.0.1:40001 -> 10.0.0.2:80  2025-10-09 08:53:20.001000");
  EXPECT_EQ(lines[3], "      2              #1  --- SYN ------>  seq=0 win=64240 => SYN_SENT");
  EXPECT_EQ(lines[4], "      3  +0.001 000  #1  <-- SYN,ACK ---  seq=0 ack=1 win=64240 => peer NEW_SYN_RECV");
  EXPECT_EQ(lines[5], "      4  +0.001 000  #1  --- ACK ------>  seq=1 ack=1 win=64240 => both ESTABLISHED");
  EXPECT_TRUE(lines[6].starts_with("      7  +0.003 000  #1  --- FIN,ACK -->  seq=101 ack=1")) << lines[6];
  EXPECT_TRUE(reported.out.contains("== completed after")) << reported.out;
}

TEST_F(Read, PacketsAllTellsOrdinaryDataToo) {
  const auto segments = [&](const Arguments& arguments) { return only(objects(tcpwitness(arguments).out), "segment"); };
  EXPECT_EQ(segments({"read", "--trace", "-o", "json", two_}).size(), 12U);
  const auto all = segments({"read", "--trace", "--packets", "all", "-o", "json", two_});
  ASSERT_EQ(all.size(), 16U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]["id"], i + 2);
    EXPECT_EQ(all[i]["frame"], i + 2);
    EXPECT_EQ(all[i]["hook"], "capture");
  }
  EXPECT_EQ(all[3]["len"], 100);
  EXPECT_EQ(all[3]["dir"], "out");
  EXPECT_EQ(all[4]["dir"], "in");
}

TEST_F(Read, DuplicateAcksAreNumbered) {
  Capture capture;
  capture.open(40'003);
  for (int i = 0; i < 3; ++i) {
    capture.tcp({.from_port = 40'003, .seq = 1'200U + 100U * static_cast<unsigned>(i), .ack = 5'000, .len = 100});
    capture.tcp({.from = 2, .to = 1, .from_port = 80, .to_port = 40'003, .seq = 5'000, .ack = 1'100});
  }
  const ProgramOutput reported =
      tcpwitness({"read", "--trace", "--packets", "all", directory_.file("acks.pcap", capture.bytes)});
  EXPECT_TRUE(reported.out.contains("[previous segment not captured]")) << reported.out;
  EXPECT_TRUE(reported.out.contains("[duplicate ACK #1]")) << reported.out;
  EXPECT_TRUE(reported.out.contains("[duplicate ACK #3]")) << reported.out;
}

TEST_F(Read, AnOpenConnectionIsToldAtTheEnd) {
  const ProgramOutput reported =
      tcpwitness({"read", "-o", "json", directory_.file("open.pcap", Capture().open(40'004).bytes)});
  const auto lives = only(objects(reported.out), "life");
  ASSERT_EQ(lives.size(), 1U);
  EXPECT_EQ(lives[0]["outcome"], "open");
  EXPECT_EQ(reported.status, 0);
}

TEST_F(Read, ALossInTheCaptureIsSaid) {
  Capture capture;
  capture.open(40'005).tcp({.from_port = 40'005, .seq = 4'100, .ack = 5'000, .len = 100});
  const ProgramOutput reported = tcpwitness({"read", directory_.file("hole.pcap", capture.bytes)});
  EXPECT_TRUE(reported.out.contains("2.9 KiB not captured")) << reported.out;
}

TEST_F(Read, AnExpressionSelectsFrames) {
  for (const Arguments& arguments : {Arguments{"read", two_, "tcp", "port", "40001"},
                                     {"read", two_, "tcp port 40001"},
                                     {"read", "--filter", "tcp port 40001", two_},
                                     {"read", two_, "host", "10.0.0.1", "and", "not", "port", "99"}}) {
    const ProgramOutput reported = tcpwitness(arguments);
    EXPECT_EQ(reported.status, 0);
    EXPECT_TRUE(reported.out.contains(":40001")) << reported.out;
    EXPECT_FALSE(reported.out.contains(":40002")) << reported.out;
  }
}

TEST_F(Read, PortAndHostSelectConnections) {
  EXPECT_EQ(lines_of(tcpwitness({"read", two_, "--port", "80"}).out).size(), 3U);
  const ProgramOutput port = tcpwitness({"read", two_, "--port", "40002"});
  EXPECT_EQ(lines_of(port.out).size(), 2U);
  EXPECT_TRUE(port.out.contains(":40002"));
  EXPECT_TRUE(port.err.contains("1 connection in 8 TCP segments of 17 frames")) << port.err;
  const ProgramOutput host = tcpwitness({"read", two_, "--host", "10.0.0.4/30"});
  EXPECT_EQ(lines_of(host.out).size(), 2U);
  EXPECT_TRUE(host.out.contains("10.0.0.7:40002"));
  EXPECT_EQ(lines_of(tcpwitness({"read", two_, "--host", "10.0.0.7", "--port", "40001"}).out).size(), 0U);
}

TEST_F(Read, CountStopsAfterSoMany) {
  const auto all = objects(tcpwitness({"read", two_, "-c", "1", "-o", "json"}).out);
  EXPECT_EQ(only(all, "life").size(), 1U);
  EXPECT_EQ(all.back()["type"], "summary");
  EXPECT_EQ(all.back()["connections"], 1);
}

TEST_F(Read, APackedCaptureIsUnpacked) {
  const std::string packed = directory_.file("two.pcap.gz", gzip(Capture().whole(40'001).bytes));
  const ProgramOutput reported = tcpwitness({"read", packed});
  EXPECT_EQ(reported.status, 0);
  EXPECT_EQ(lines_of(reported.out).size(), 2U);
  EXPECT_TRUE(reported.err.contains("(pcap, gzip)")) << reported.err;
}

TEST_F(Read, ACaptureWithoutTcpSaysSo) {
  const ProgramOutput reported = tcpwitness({"read", directory_.file("arp.pcap", Capture().arp().arp().bytes)});
  EXPECT_EQ(reported.status, 0);
  EXPECT_EQ(reported.out, "");
  EXPECT_TRUE(reported.err.contains("2 frames, and no TCP in them")) << reported.err;
}

TEST_F(Read, ACaptureWithoutFramesIsNoError) {
  const ProgramOutput reported = tcpwitness({"read", directory_.file("none.pcap", Capture().bytes)});
  EXPECT_EQ(reported.status, 0);
  EXPECT_TRUE(reported.err.contains("0 frames")) << reported.err;
}

}  // namespace
}  // namespace tcpwitness::read_test

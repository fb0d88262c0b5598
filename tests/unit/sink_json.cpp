// SPDX-License-Identifier: Apache-2.0
// sink_json.cpp: the fields that others depend on, read back with nlohmann's reader.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "golden/reports.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

using nlohmann::json;

std::vector<json> reported(const Reports& reports) {
  const Names names = golden::names();
  std::vector<json> objects;
  for (const std::string& line :
       test::lines_of(test::captured([&](Output& output) { return make_json(output, names); }, reports))) {
    objects.push_back(json::parse(line));
  }
  return objects;
}

json reported(Report report) { return reported(Reports{std::move(report)}).at(0); }

template <typename Body>
json entry(Body body) {
  return reported(Entry{.conn = 7,
                        .id = 42,
                        .ts_ns = golden::midnight,
                        .flow = golden::flow("10.0.0.1", 1, "2001:db8::1", 2),
                        .body = std::move(body)});
}

TEST(Json, EveryObjectHasATypeAndATime) {
  for (const json& object : reported(golden::run())) {
    EXPECT_TRUE(object.at("type").is_string());
    EXPECT_TRUE(object.at("ts_ns").is_number_integer());
  }
}

TEST(Json, ReadyNamesEveryHookAndTheRing) {
  const json ready = reported(golden::ready());
  EXPECT_EQ(ready["type"], "ready");
  EXPECT_EQ(ready["version"], "0.1.0");
  EXPECT_EQ(ready["kernel"], "6.18.5");
  EXPECT_EQ(ready["ring_bytes"], 4194304);
  EXPECT_EQ(ready["hooks"].size(), golden::ready().hooks.size());
  EXPECT_EQ(ready["hooks"][0],
            (json{{"name", "kernel_state"}, {"target", "sock:inet_sock_set_state"}, {"mode", "tp_btf"}}));
  EXPECT_FALSE(ready["hooks"][2]["why"].get<std::string>().empty());
}

TEST(Json, EntriesCarryConnectionNumberAndBothEnds) {
  const json error = entry(ErrorEntry{.error = 110});
  EXPECT_EQ(error["type"], "error");
  EXPECT_EQ(error["conn"], 7);
  EXPECT_EQ(error["id"], 42);
  EXPECT_EQ(error["local"], (json{{"ip", "10.0.0.1"}, {"port", 1}}));
  EXPECT_EQ(error["remote"], (json{{"ip", "2001:db8::1"}, {"port", 2}}));
  EXPECT_EQ(error["errno"], 110);
  EXPECT_EQ(error["error"], "ETIMEDOUT");
}

TEST(Json, AStrayEntryHasNoConnection) {
  const json stray = reported(golden::stray()).at(0);
  EXPECT_TRUE(stray["conn"].is_null());
  EXPECT_EQ(stray["socket"], "none");
  EXPECT_FALSE(stray.contains("kernel_state"));
  EXPECT_TRUE(stray["rel_seq"].is_null());
  EXPECT_EQ(stray["seq"], 1111);
  EXPECT_EQ(stray["vlan"], 12);
  EXPECT_FALSE(stray.contains("win_bytes"));
}

TEST(Json, AnErrorOfZeroIsAnIcmpMessageOnlyWhereOneIsOnTheQueue) {
  IcmpMessage icmp{.error = 113, .type = 3, .code = 13};
  icmp.sender = parse_prefix("10.0.0.254")->address;
  const json error = entry(ErrorEntry{.error = 0, .icmp = icmp, .queue_origin = 2});
  EXPECT_EQ(error["errno"], 0);
  EXPECT_EQ(error["icmp"], true);
  EXPECT_EQ(error["icmp_error"], "EHOSTUNREACH");
  EXPECT_EQ(error["icmp_sender"], "10.0.0.254");
  EXPECT_EQ(error["icmp_name"], "administratively prohibited");
  EXPECT_FALSE(error.contains("error"));
  const json zerocopy = entry(ErrorEntry{.error = 0, .queue_origin = 5});
  EXPECT_EQ(zerocopy["icmp"], false);
  EXPECT_EQ(zerocopy["queue"], "zerocopy");
  EXPECT_EQ(entry(ErrorEntry{.error = 0})["queue"], "empty");
}

TEST(Json, PortsAreCountedWithTheirHolders) {
  const json ports = entry(PortsEntry{.first = 40000,
                                      .last = 40001,
                                      .time_wait = 1,
                                      .open = 1,
                                      .holders = {{golden::process(5, "app", PidSource::snapshot), 1}}});
  EXPECT_EQ(ports["type"], "ports");
  EXPECT_EQ(ports["time_wait"], 1);
  EXPECT_EQ(ports["holders"], (json::array({{{"pid", 5}, {"comm", "app"}, {"ports", 1}}})));
}

TEST(Json, AStateCausedByASegmentNamesItAndTheDelay) {
  const json state = entry(golden::by_segment(TcpState::syn_sent, TcpState::established, "SYN-ACK", 13, 21));
  EXPECT_EQ(state["type"], "state");
  EXPECT_EQ(state["from"], "SYN_SENT");
  EXPECT_EQ(state["to"], "ESTABLISHED");
  EXPECT_EQ(state["cause"], (json{{"kind", "segment"}, {"id", 13}, {"delay_ns", 21000}, {"what", "SYN-ACK"}}));
  for (const char* absent : {"pid", "comm", "inferred", "tcp"}) EXPECT_FALSE(state.contains(absent)) << absent;
}

TEST(Json, AStateCausedByACallNamesTheProcess) {
  StateEntry state =
      golden::called(TcpState::established, TcpState::close, "exit", golden::process(9, "x", PidSource::close));
  state.cause.signal = 9;
  state.inferred = true;
  const json object = entry(state);
  EXPECT_EQ(object["pid"], 9);
  EXPECT_EQ(object["comm"], "x");
  EXPECT_EQ(object["pid_source"], "close");
  EXPECT_EQ(object["inferred"], true);
  EXPECT_EQ(object["cause"], (json{{"kind", "call"}, {"what", "exit"}, {"signal", 9}}));
}

TEST(Json, AStateWithoutACauseHasNone) {
  EXPECT_FALSE(entry(StateEntry{.from = TcpState::listen, .to = TcpState::close}).contains("cause"));
}

TEST(Json, TheControlBlockIsToldOnlyWhenItWasRead) {
  StateEntry state{.from = TcpState::syn_sent, .to = TcpState::established};
  state.cb = ControlBlock{};
  EXPECT_FALSE(entry(state).contains("tcp"));
  state.cb = golden::control_block(1245, 201'000);
  EXPECT_EQ(entry(state)["tcp"]["srtt_us"], 1245);
  EXPECT_EQ(entry(state)["tcp"]["snd_nxt"], golden::our_isn + 1);
}

TEST(Json, ASynCarriesNumbersOptionsAndTheTransition) {
  const json syn = reported(golden::curl()).at(1);
  EXPECT_EQ(syn["dir"], "out");
  EXPECT_EQ(syn["hook"], "tc-egress");
  EXPECT_EQ(syn["ifname"], "veth0");
  EXPECT_EQ(syn["seq"], golden::our_isn);
  EXPECT_EQ(syn["rel_seq"], 0);
  EXPECT_TRUE(syn["rel_ack"].is_null());  // it acknowledges nothing
  EXPECT_EQ(syn["len"], 0);
  EXPECT_EQ(syn["flags"], "SYN");
  EXPECT_EQ(syn["win"], 64240);
  EXPECT_EQ(syn["mss"], 1460);
  EXPECT_EQ(syn["wscale"], 7);
  EXPECT_EQ(syn["sack_permitted"], true);
  EXPECT_EQ(syn["ts_val"], 1000);
  EXPECT_EQ(syn["ts_ecr"], 0);
  EXPECT_EQ(syn["ttl"], 64);
  EXPECT_EQ(syn["kernel_state"], "SYN_SENT");
  EXPECT_EQ(syn["analysis"], json::array());
  EXPECT_EQ(syn["transition"], (json{{"id", 1}, {"from", "CLOSE"}, {"to", "SYN_SENT"}, {"delay_ns", 41000}}));
  EXPECT_FALSE(syn.contains("vlan"));
}

TEST(Json, AnIncomingSegmentTellsItsHookAndRelativeNumbers) {
  const json answer = reported(golden::curl()).at(2);
  EXPECT_EQ(answer["dir"], "in");
  EXPECT_EQ(answer["hook"], "xdp");
  EXPECT_EQ(answer["flags"], "SYN,ACK");
  EXPECT_EQ(answer["rel_seq"], 0);
  EXPECT_EQ(answer["rel_ack"], 1);
}

TEST(Json, ASegmentOnTcIngressIsIncoming) {
  SegmentEntry segment = golden::wire({});
  segment.segment.seen_at(HookPoint::ingress);
  const json object = entry(segment);
  EXPECT_EQ(object["dir"], "in");
  EXPECT_EQ(object["hook"], "tc-ingress");
  EXPECT_FALSE(object.contains("mss"));
  EXPECT_FALSE(object.contains("transition"));
}

TEST(Json, WhatTheWireAloneShowsOfTheEndsIsInferred) {
  SegmentEntry segment = golden::wire({});
  EXPECT_FALSE(entry(segment).contains("inferred"));
  segment.inferred = {{false, TcpState::established, TcpState::fin_wait1},
                      {true, TcpState::unknown, TcpState::close_wait}};
  EXPECT_EQ(entry(segment)["inferred"], (json{{{"end", "local"}, {"from", "ESTABLISHED"}, {"to", "FIN_WAIT1"}},
                                              {{"end", "remote"}, {"from", "UNKNOWN"}, {"to", "CLOSE_WAIT"}}}));
}

TEST(Json, AnInterfaceWithoutANameHasItsNumber) {
  SegmentEntry segment = golden::wire({});
  segment.segment.ifindex = 99;
  EXPECT_EQ(entry(segment)["ifname"], "if99");
}

TEST(Json, ARetransmissionTellsCauseAndWhetherItLeft) {
  RetransmitEntry retransmit{.cause = RetransmitKind::rto,
                             .rel_seq = 5,
                             .relative = true,
                             .segment = 3,
                             .len = 7,
                             .err = -1,
                             .rto_us = 204'000,
                             .attempt = 2};
  json object = entry(retransmit);
  EXPECT_EQ(object["type"], "retransmit");
  EXPECT_EQ(object["cause"], "RTO");
  EXPECT_EQ(object["rel_seq"], 5);
  EXPECT_EQ(object["attempt"], 2);
  EXPECT_EQ(object["rto_us"], 204'000);
  EXPECT_EQ(object["err"], -1);
  retransmit.err = TW_RETRANSMIT_ERR_UNKNOWN;
  EXPECT_FALSE(entry(retransmit).contains("err"));
}

TEST(Json, AResetTellsWhoAndWhy) {
  const json object = entry(ResetEntry{.sent = true,
                                       .has_socket = true,
                                       .kind = ResetReason::abort_on_close,
                                       .reason = "TCP_ABORT_ON_CLOSE",
                                       .process = golden::process(9, "x", PidSource::close),
                                       .segment = 3});
  EXPECT_EQ(object["type"], "reset");
  EXPECT_EQ(object["dir"], "out");
  EXPECT_EQ(object["reason"], "TCP_ABORT_ON_CLOSE");
  EXPECT_EQ(object["meaning"], "the process closed with unread data");
  EXPECT_EQ(object["pid"], 9);
  EXPECT_EQ(object["segment"], 3);
}

TEST(Json, KeepaliveProbeAndOwnerHaveTheirFields) {
  const json keepalive = entry(KeepaliveEntry{.what = KeepaliveEntry::What::gave_up, .probe = 3, .probes = 9});
  EXPECT_EQ(keepalive["type"], "keepalive");
  EXPECT_EQ(keepalive["what"], "gave-up");
  EXPECT_EQ(keepalive["probe"], 3);
  EXPECT_EQ(keepalive["probes"], 9);
  EXPECT_FALSE(keepalive.contains("dead_at_ns"));
  const json probe = entry(ProbeEntry{.sent = true, .probe = 2, .unsent_bytes = 10, .segment = 4});
  EXPECT_EQ(probe["type"], "probe");
  EXPECT_EQ(probe["dir"], "out");
  EXPECT_EQ(probe["unsent_bytes"], 10);
  const json owner = entry(OwnerEntry{.process = golden::process(5, "nginx", PidSource::accept)});
  EXPECT_EQ(owner["type"], "owner");
  EXPECT_EQ(owner["pid"], 5);
  EXPECT_EQ(owner["pid_source"], "accept");
}

TEST(Json, AFindingHasItsEvidence) {
  const json finding = reported(golden::curl()).at(12);
  EXPECT_EQ(finding["type"], "finding");
  EXPECT_EQ(finding["rule"], "time-wait");
  EXPECT_EQ(finding["confidence"], "certain");
  EXPECT_EQ(finding["evidence"], (json{6, 11}));
  EXPECT_EQ(finding["conn"], 1);
}

TEST(Json, ALifeHasEveryContractedField) {
  const json life = reported(golden::refused()).back();
  for (const char* field :
       {"type",        "ts_ns",      "conn",       "local",       "remote",     "role",     "pid",
        "comm",        "pid_source", "netns",      "outcome",     "errno",      "error",    "closed_by",
        "duration_ns", "tx_bytes",   "rx_bytes",   "retransmits", "states",     "findings", "start_ts_ns",
        "preexisting", "witnesses",  "incomplete", "wire",        "explanation"}) {
    EXPECT_TRUE(life.contains(field)) << field;
  }
  EXPECT_EQ(life["errno"], 111);
  EXPECT_EQ(life["error"], "ECONNREFUSED");
  EXPECT_EQ(life["outcome"], "refused");
  EXPECT_EQ(life["states"], (json{"SYN_SENT", "CLOSE"}));
  EXPECT_EQ(life["findings"], (json{"reset-origin"}));
  EXPECT_EQ(life["witnesses"], (json{"kernel", "wire"}));
  EXPECT_EQ(life["wire"]["tx_segments"], 1);
  EXPECT_EQ(life["wire"]["complete"], true);
  EXPECT_FALSE(life.contains("handshake_ns"));
}

TEST(Json, AnUnknownProcessIsNullAndSaysSo) {
  const json life = reported(golden::one_witness()).at(1);
  EXPECT_TRUE(life["pid"].is_null());
  EXPECT_TRUE(life["comm"].is_null());
  EXPECT_EQ(life["pid_source"], "unknown");
  EXPECT_TRUE(life["netns"].is_null());
  EXPECT_EQ(life["witnesses"], (json{"wire"}));
  EXPECT_FALSE(life.contains("errno"));
  EXPECT_FALSE(life.contains("explanation"));
}

TEST(Json, ARuleThatFoundTwiceIsNamedOnce) {
  EXPECT_EQ(reported(golden::zero_window()).back()["findings"], (json{"zero-window", "retransmission"}));
}

TEST(Json, ACommOfAnyBytesIsAString) {
  EXPECT_EQ(reported(golden::zero_window()).back()["comm"], "sender \x1b[31m\ufffd\"x\"");
}

TEST(Json, AGapIsExact) {
  const json gap = reported(golden::gap());
  EXPECT_EQ(gap["type"], "gap");
  EXPECT_EQ(gap["lost"], 1234);
  EXPECT_EQ(gap["cpu"], 3);
  EXPECT_EQ(gap["to_ts_ns"].get<TimeNs>() - gap["from_ts_ns"].get<TimeNs>(), 20'000'000);
}

TEST(Json, TheSummaryCountsByKind) {
  const json summary = reported(golden::summary());
  EXPECT_EQ(summary["connections"], 6);
  EXPECT_EQ(summary["lost"], 1234);
  EXPECT_EQ(summary["events"]["state"], 14);
  EXPECT_EQ(summary["events"]["segment"], 29);
  EXPECT_EQ(summary["events"]["socket"], 0);
  EXPECT_EQ(summary["events"].size(), TW_KIND_COUNT - 2U);
  for (const char* field : {"malformed", "flows_full", "unaccounted"}) EXPECT_EQ(summary[field], 0) << field;
  EXPECT_FALSE(summary.contains("missing"));
}

TEST(Json, TheSummaryNamesAWitnessThatCouldNotBeAttached) {
  Summary summary;
  summary.missing = {{.name = "wire", .target = "", .mode = "off", .why = "refused"}};
  EXPECT_EQ(reported(summary)["missing"], (json::array({{{"witness", "wire"}, {"why", "refused"}}})));
}

}  // namespace
}  // namespace tcpwitness

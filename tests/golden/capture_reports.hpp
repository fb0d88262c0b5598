// SPDX-License-Identifier: Apache-2.0
// capture_reports.hpp: the fixed story of a capture: the wire alone, events with the numbers of frames; a connection
// with a loss in it, one that began before the capture, one that was refused.
#pragma once

#include "golden/reports.hpp"

namespace tcpwitness::golden {

inline Names capture_names() {
  Names names;
  names.interfaces = {{1, "en0"}};
  return names;
}

inline SegmentEntry captured(const Wire& what, std::uint64_t frame, std::uint32_t duplicate_ack) {
  SegmentEntry entry = wire(what);
  entry.segment.seen_at(what.out ? HookPoint::egress : HookPoint::ingress);
  entry.segment.ifindex = 1;
  entry.segment.analysis.frame = frame;
  entry.segment.analysis.duplicate_ack = duplicate_ack;
  return entry;
}

inline Reports capture_of_a_loss() {
  using enum TcpState;
  constexpr std::uint8_t syn = tcp_flag::syn;
  constexpr std::uint8_t ack = tcp_flag::ack;
  constexpr std::uint8_t fin = tcp_flag::fin;
  const Flow where = flow("2001:db8::10", 51234, "2001:db8::80", 443);
  Story story(1, where, 1, midnight);
  Reports all;
  const auto add = [&](EventId frame, std::int64_t after_us, const Wire& what, std::uint32_t duplicate_ack = 0) {
    story.add(after_us, captured(what, frame, duplicate_ack));
    std::get<Entry>(story.reports.back()).id = frame;
  };
  const auto shows = [&](const std::vector<InferredState>& states) {
    std::get<SegmentEntry>(std::get<Entry>(story.reports.back()).body).inferred = states;
  };
  add(1, 0, {.flags = syn});
  shows({{false, unknown, syn_sent}});
  add(2, 20'100, {.out = false, .flags = syn | ack, .rel_ack = 1});
  shows({{true, unknown, new_syn_recv}});
  add(3, 90, {.rel_seq = 1, .rel_ack = 1});
  shows({{false, syn_sent, established}, {true, new_syn_recv, established}});
  add(10'482, 4'000,
      {.out = false, .rel_seq = 14'601, .rel_ack = 518, .len = 1460, .analysis = {"previous segment not captured"}});
  add(10'483, 30, {.rel_seq = 518, .rel_ack = 13'141, .analysis = {"duplicate ACK"}}, 1);
  add(10'485, 30, {.rel_seq = 518, .rel_ack = 13'141, .analysis = {"duplicate ACK"}}, 2);
  add(10'490, 19'000,
      {.out = false,
       .rel_seq = 13'141,
       .rel_ack = 518,
       .len = 1460,
       .analysis = {"retransmission", "fast retransmission"}});
  add(1'048'576, 51'000, {.flags = fin | ack, .rel_seq = 518, .rel_ack = 40'001});
  shows({{false, established, fin_wait1}, {true, established, close_wait}});
  add(1'048'577, 20'000, {.out = false, .flags = fin | ack, .rel_seq = 40'001, .rel_ack = 519});
  shows({{true, close_wait, last_ack}, {false, fin_wait1, fin_wait2}});
  add(1'048'578, 100, {.rel_seq = 519, .rel_ack = 40'002});
  shows({{false, fin_wait2, time_wait}, {true, last_ack, close}});
  Finding lost{.rule = Rule::retransmission,
               .confidence = Confidence::likely,
               .arguments = arguments::OwnWords{"the wire saw 1 retransmission from the peer"},
               .evidence = {10'490}};
  story.tell(FindingReport{.conn = 1, .ts_ns = story.now(), .flow = where, .finding = lost});
  story.tell(Life{.conn = 1,
                  .start_ts_ns = midnight,
                  .ts_ns = story.now(),
                  .flow = where,
                  .role = Role::active,
                  .process = {},
                  .outcome = Outcome::completed,
                  .explanation = "Both FINs were acknowledged.",
                  .closed_by = ClosedBy::local,
                  .has_wire = true,
                  .duration_ns = story.now() - midnight,
                  .handshake_ns = 20'190'000,
                  .tx_bytes = 517,
                  .rx_bytes = 40'000,
                  .retransmits = 0,
                  .conversation = ConversationTotals{.stream = 0,
                                                     .out = {.frames = 22,
                                                             .frame_bytes = 2'145,
                                                             .payload_bytes = 517,
                                                             .retransmitted_bytes = 0,
                                                             .sequence_bytes = 517,
                                                             .missing_bytes = 0},
                                                     .in = {.frames = 30,
                                                            .frame_bytes = 43'640,
                                                            .payload_bytes = 41'460,
                                                            .retransmitted_bytes = 1'460,
                                                            .sequence_bytes = 40'000,
                                                            .missing_bytes = 0},
                                                     .completeness = 31},
                  .zeek_state = "SF",
                  .states = {syn_sent, established, fin_wait1, fin_wait2, time_wait},
                  .peer_states = {new_syn_recv, established, close_wait, last_ack, close},
                  .findings = {lost}});
  return story.reports;
}

inline Reports capture() {
  using enum TcpState;
  Reports all{Ready{
      .ts_ns = midnight,
      .version = "0.1.0",
      .kernel = "",
      .hooks = {},
      .ring_bytes = 0,
      .capture = CaptureSource{.path = "dump.pcapng", .format = "pcapng", .interfaces = {{"en0", 1}, {"utun2", 0}}}}};
  std::ranges::move(capture_of_a_loss(), std::back_inserter(all));
  all.emplace_back(Life{.conn = 2,
                        .start_ts_ns = midnight + 1'000'000'000,
                        .ts_ns = midnight + 5'000'000'000,
                        .flow = flow("192.0.2.7", 40404, "198.51.100.200", 5432),
                        .role = Role::unknown,
                        .process = {},
                        .outcome = Outcome::open,
                        .explanation = "",
                        .preexisting = true,
                        .has_wire = true,
                        .duration_ns = 4'000'000'000,
                        .tx_bytes = 1'000,
                        .rx_bytes = 999'999,
                        .retransmits = 3,
                        .conversation = ConversationTotals{.stream = 1,
                                                           .out = {.frames = 3,
                                                                   .frame_bytes = 1'162,
                                                                   .payload_bytes = 1'000,
                                                                   .retransmitted_bytes = 0,
                                                                   .sequence_bytes = 1'000,
                                                                   .missing_bytes = 0},
                                                           .in = {.frames = 700,
                                                                  .frame_bytes = 1'035'000,
                                                                  .payload_bytes = 997'000,
                                                                  .retransmitted_bytes = 0,
                                                                  .sequence_bytes = 999'999,
                                                                  .missing_bytes = 2'999},
                                                           .completeness = 12},
                        .zeek_state = "OTH",
                        .states = {established},
                        .peer_states = {established}});
  all.emplace_back(Life{.conn = 3,
                        .start_ts_ns = midnight + 2'000'000'000,
                        .ts_ns = midnight + 2'000'700'000,
                        .flow = flow("192.0.2.7", 40406, "198.51.100.200", 81),
                        .role = Role::active,
                        .process = {},
                        .outcome = Outcome::refused,
                        .explanation = "",
                        .closed_by = ClosedBy::peer,
                        .has_wire = true,
                        .duration_ns = 700'000,
                        .conversation = ConversationTotals{.stream = 2,
                                                           .out = {.frames = 1,
                                                                   .frame_bytes = 74,
                                                                   .payload_bytes = 0,
                                                                   .retransmitted_bytes = 0,
                                                                   .sequence_bytes = 0,
                                                                   .missing_bytes = 0},
                                                           .in = {.frames = 1,
                                                                  .frame_bytes = 54,
                                                                  .payload_bytes = 0,
                                                                  .retransmitted_bytes = 0,
                                                                  .sequence_bytes = 0,
                                                                  .missing_bytes = 0},
                                                           .completeness = 33},
                        .zeek_state = "REJ",
                        .states = {syn_sent, close}});
  Summary summary{.ts_ns = midnight + 6'000'000'000, .connections = 3, .lost = 0, .malformed = 0};
  summary.events[TW_KIND_SEGMENT] = 14;
  summary.capture = CaptureTotals{.frames = 1'200'000, .segments = 757, .conversations = 3, .cut = 12, .damage = ""};
  all.emplace_back(summary);
  return all;
}

}  // namespace tcpwitness::golden

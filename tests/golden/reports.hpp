// SPDX-License-Identifier: Apache-2.0
// reports.hpp: fixed stories as reports, for golden tests of the sinks: what the core would tell of a curl,
// a refused connect, a keep-alive that dies, a zero window. Numbers are realistic and never change.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tcpwitness/event_abi.h"
#include "tcpwitness/report.hpp"

// What a designated initializer leaves out is meant to be the default.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace tcpwitness::golden {

inline constexpr TimeNs midnight = 1'760'000'000'000'000'000;  // 2025-10-09 08:53:20 UTC

inline Address ip(const char* text) {
  Address address;
  if (::inet_pton(AF_INET, text, address.bytes.data() + 12) == 1) {
    address.bytes[10] = address.bytes[11] = 0xff;
  } else {
    ::inet_pton(AF_INET6, text, address.bytes.data());
  }
  return address;
}

inline Flow flow(const char* local, std::uint16_t local_port, const char* remote, std::uint16_t remote_port) {
  return {{ip(local), local_port}, {ip(remote), remote_port}};
}

inline Names names() {
  Names names;
  names.interfaces = {{1, "lo"}, {2, "eth0"}, {7, "veth0"}};
  return names;
}

// Entries of one connection with growing ids and times.
class Story {
 public:
  Story(ConnectionId conn, Flow flow, EventId first_id, TimeNs start)
      : conn_(conn), flow_(flow), id_(first_id), at_(start) {}

  template <typename Body>
  Story& add(std::int64_t after_us, Body body) {
    at_ += after_us * 1000;
    reports.push_back(Entry{.conn = conn_, .id = id_++, .ts_ns = at_, .flow = flow_, .body = std::move(body)});
    return *this;
  }
  Story& tell(Report report) {
    reports.push_back(std::move(report));
    return *this;
  }
  [[nodiscard]] EventId last() const { return id_ - 1; }
  [[nodiscard]] TimeNs now() const { return at_; }

  Reports reports;

 private:
  ConnectionId conn_;
  Flow flow_;
  EventId id_;
  TimeNs at_;
};

inline Process process(std::uint32_t pid, const char* comm, PidSource source) {
  return {.pid = pid, .comm = comm, .source = source};
}

struct Wire {
  bool out = true;
  std::uint8_t flags = tcp_flag::ack;
  std::uint32_t rel_seq = 0;
  std::uint32_t rel_ack = 0;
  std::uint32_t len = 0;
  TcpState state = TcpState::unknown;
  std::vector<std::string_view> analysis = {};
  std::optional<Transition> transition = {};
  std::uint16_t window = 502;
};

inline constexpr std::uint32_t our_isn = 3'000'000'000;
inline constexpr std::uint32_t peer_isn = 1'200'000'000;

inline SegmentEntry wire(const Wire& wire) {
  SegmentEntry entry;
  Segment& segment = entry.segment;
  segment.seen_at(wire.out ? HookPoint::egress : HookPoint::xdp);
  segment.ifindex = 7;
  segment.seq = (wire.out ? our_isn : peer_isn) + wire.rel_seq;
  const bool has_ack = (wire.flags & tcp_flag::ack) != 0;
  segment.ack = has_ack ? (wire.out ? peer_isn : our_isn) + wire.rel_ack : 0;
  segment.len = wire.len;
  segment.flags = wire.flags;
  segment.window = wire.window;
  segment.ttl = 64;
  segment.socket.type = wire.state == TcpState::unknown        ? SocketKind::unknown
                        : wire.state == TcpState::new_syn_recv ? SocketKind::request
                        : wire.state == TcpState::listen       ? SocketKind::listener
                        : wire.state == TcpState::time_wait    ? SocketKind::time_wait
                                                               : SocketKind::full;
  segment.socket.state = wire.state;
  segment.options = TW_OPT_TIMESTAMP;
  segment.ts_val = 1'000 + wire.rel_seq;
  segment.ts_ecr = wire.rel_ack != 0 ? 500 + wire.rel_ack : 0;
  if ((wire.flags & tcp_flag::syn) != 0) {
    segment.options |= TW_OPT_WSCALE | TW_OPT_SACK_PERMITTED;
    segment.mss = 1460;
    segment.wscale = 7;
    segment.window = wire.out ? 64240 : 65160;
    entry.window_bytes = segment.window;
  } else {
    entry.window_bytes = wire.window * 128U;
  }
  if ((wire.flags & tcp_flag::rst) != 0) {
    segment.options = 0;
    segment.window = 0;
    entry.window_bytes = 0;
  }
  entry.rel_seq = wire.rel_seq;
  entry.rel_ack = wire.rel_ack;
  entry.relative = true;
  entry.analysis = wire.analysis;
  entry.transition = wire.transition;
  return entry;
}

inline ControlBlock control_block(std::uint32_t srtt_us, std::uint32_t rto_us) {
  ControlBlock cb{};
  cb.flags = TW_CB_PRESENT;
  cb.snd_una = cb.snd_nxt = cb.write_seq = our_isn + 1;
  cb.rcv_nxt = cb.copied_seq = peer_isn + 1;
  cb.snd_wnd = 65160;
  cb.rcv_wnd = 64256;
  cb.snd_cwnd = 10;
  cb.srtt_us = srtt_us;
  cb.rto_us = rto_us;
  return cb;
}

inline StateEntry called(TcpState from, TcpState to, std::string_view what, Process by) {
  return {.from = from, .to = to, .process = std::move(by), .cause = {.kind = Cause::Kind::call, .what = what}};
}
inline StateEntry by_segment(TcpState from, TcpState to, std::string_view what, EventId id, std::int64_t delay_us) {
  return {.from = from,
          .to = to,
          .cause = {.kind = Cause::Kind::segment, .id = id, .delay_ns = delay_us * 1000, .what = what}};
}
inline StateEntry timed_out(TcpState from, TcpState to, std::string_view what) {
  return {.from = from, .to = to, .cause = {.kind = Cause::Kind::timer, .what = what}};
}
inline Transition leads(EventId id, TcpState from, TcpState to, std::int64_t delay_us) {
  return {.id = id, .from = from, .to = to, .delay_ns = delay_us * 1000};
}

// curl fetches a page and closes first: handshake, data as owner evidence, four-way close, TIME_WAIT.
inline Reports curl(ConnectionId conn = 1, EventId id = 1) {
  using enum TcpState;
  const Process curl = process(4242, "curl", PidSource::connect);
  const Flow where = flow("192.168.7.1", 40412, "192.168.7.2", 8080);
  Story story(conn, where, id, midnight + 120'311'000);
  story.add(0, called(close, syn_sent, "connect", curl));
  story.add(41, wire({.flags = tcp_flag::syn, .state = syn_sent, .transition = leads(id, close, syn_sent, 41)}));
  story.add(1204, wire({.out = false,
                        .flags = tcp_flag::syn | tcp_flag::ack,
                        .rel_ack = 1,
                        .state = syn_sent,
                        .transition = leads(id + 3, syn_sent, established, 21)}));
  StateEntry open = by_segment(syn_sent, established, "SYN-ACK", id + 2, 21);
  open.cb = control_block(1245, 201'245);
  story.add(21, open);
  story.add(
      6,
      wire({.rel_seq = 1, .rel_ack = 1, .state = established, .transition = leads(id + 3, syn_sent, established, 6)}));
  story.add(9802, called(established, fin_wait1, "close", curl));
  story.add(12, wire({.flags = tcp_flag::fin | tcp_flag::ack,
                      .rel_seq = 79,
                      .rel_ack = 1257,
                      .state = fin_wait1,
                      .transition = leads(id + 5, established, fin_wait1, 12)}));
  story.add(611, wire({.out = false,
                       .rel_seq = 1257,
                       .rel_ack = 80,
                       .state = fin_wait1,
                       .transition = leads(id + 8, fin_wait1, fin_wait2, 9)}));
  story.add(9, by_segment(fin_wait1, fin_wait2, "ACK of FIN", id + 7, 9));
  story.add(201, wire({.out = false,
                       .flags = tcp_flag::fin | tcp_flag::ack,
                       .rel_seq = 1257,
                       .rel_ack = 80,
                       .state = fin_wait2,
                       .transition = leads(id + 10, fin_wait2, time_wait, 14)}));
  StateEntry wait = by_segment(fin_wait2, time_wait, "FIN", id + 9, 14);
  wait.inferred = true;
  story.add(14, wait);
  story.add(
      3,
      wire(
          {.rel_seq = 80, .rel_ack = 1258, .state = time_wait, .transition = leads(id + 10, fin_wait2, time_wait, 3)}));
  Finding waits{
      .rule = Rule::time_wait,
      .confidence = Confidence::certain,
      .arguments =
          arguments::OwnWords{"this side closed first and waits in TIME_WAIT for 60 s; until 08:54:20 the tuple "
                              "192.168.7.1:40412 -> 192.168.7.2:8080 is taken"},
      .evidence = {id + 5, id + 10}};
  story.tell(FindingReport{.conn = conn, .ts_ns = story.now(), .flow = where, .finding = waits});
  story.tell(Life{.conn = conn,
                  .start_ts_ns = midnight + 120'311'000,
                  .ts_ns = story.now(),
                  .flow = where,
                  .role = Role::active,
                  .process = curl,
                  .netns = 4026531840,
                  .outcome = Outcome::completed,
                  .explanation =
                      "curl[4242] opened the connection (SYN, SYN-ACK, ACK) and closed it first; its FIN and "
                      "the peer's were each acknowledged, so both ends know that everything arrived.",
                  .closed_by = ClosedBy::local,
                  .has_kernel = true,
                  .has_wire = true,
                  .duration_ns = story.now() - midnight - 120'311'000,
                  .handshake_ns = 1'266'000,
                  .tx_bytes = 78,
                  .rx_bytes = 1256,
                  .srtt_us = 1245,
                  .wire = WireTotals{.tx_bytes = 78, .rx_bytes = 1256, .tx_segments = 5, .rx_segments = 5},
                  .states = {syn_sent, established, fin_wait1, fin_wait2, time_wait},
                  .findings = {waits}});
  return story.reports;
}

// Nobody listens: the SYN is answered by a RST.
inline Reports refused(ConnectionId conn = 2, EventId id = 20) {
  using enum TcpState;
  const Process nc = process(4250, "nc", PidSource::connect);
  const Flow where = flow("192.168.7.1", 40414, "192.168.7.2", 81);
  Story story(conn, where, id, midnight + 2'000'412'000);
  story.add(0, called(close, syn_sent, "connect", nc));
  story.add(38, wire({.flags = tcp_flag::syn, .state = syn_sent, .transition = leads(id, close, syn_sent, 38)}));
  story.add(702, wire({.out = false,
                       .flags = tcp_flag::rst | tcp_flag::ack,
                       .rel_ack = 1,
                       .state = syn_sent,
                       .transition = leads(id + 4, syn_sent, close, 18)}));
  story.add(11, ResetEntry{.sent = false,
                           .has_socket = true,
                           .wire = ResetEntry::Wire::shows_it,
                           .reason = "",
                           .process = {},
                           .segment = id + 2});
  story.add(7, by_segment(syn_sent, close, "RST", id + 2, 18));
  story.add(2, ErrorEntry{.error = 111});
  Finding origin{
      .rule = Rule::reset_origin,
      .confidence = Confidence::certain,
      .arguments = arguments::OwnWords{"the peer sent the RST: it came in on veth0 with the TTL of its other segments"},
      .evidence = {id + 2, id + 3}};
  story.tell(FindingReport{.conn = conn, .ts_ns = story.now(), .flow = where, .finding = origin});
  story.tell(Life{.conn = conn,
                  .start_ts_ns = midnight + 2'000'412'000,
                  .ts_ns = story.now(),
                  .flow = where,
                  .role = Role::active,
                  .process = nc,
                  .netns = 4026531840,
                  .outcome = Outcome::refused,
                  .explanation =
                      "The SYN was answered by a RST: the host is there, nobody listens on port 81; connect() "
                      "failed with ECONNREFUSED.",
                  .error = 111,
                  .closed_by = ClosedBy::peer,
                  .has_kernel = true,
                  .has_wire = true,
                  .duration_ns = 760'000,
                  .wire = WireTotals{.tx_segments = 1, .rx_segments = 1},
                  .states = {syn_sent, close},
                  .findings = {origin}});
  return story.reports;
}

// The peer vanished: keep-alive probes go unanswered until the kernel gives up.
inline Reports keepalive_death(ConnectionId conn = 3, EventId id = 40) {
  using enum TcpState;
  const Process psql = process(977, "psql", PidSource::snapshot);
  const Flow where = flow("192.168.7.1", 51998, "192.168.7.2", 5432);
  Story story(conn, where, id, midnight + 5'000'000'000);
  story.add(0, OwnerEntry{.process = psql});
  const TimeNs dead_at = story.now() + 20'000'000'000 + 3 * 1'000'000'000LL;
  for (std::uint32_t probe = 1; probe <= 3; ++probe) {
    story.add(probe == 1 ? 20'000'113 : 1'023'804,
              wire({.rel_seq = 530, .rel_ack = 2210, .state = established, .analysis = {"keep-alive"}}));
    story.add(2, KeepaliveEntry{.what = KeepaliveEntry::What::sent,
                                .probe = probe,
                                .probes = 3,
                                .time_ms = 20'000,
                                .intvl_ms = 1'000,
                                .dead_at_ns = dead_at,
                                .segment = story.last()});
  }
  story.add(1'023'911,
            KeepaliveEntry{
                .what = KeepaliveEntry::What::gave_up, .probe = 3, .probes = 3, .time_ms = 20'000, .intvl_ms = 1'000});
  story.add(4, wire({.flags = tcp_flag::rst | tcp_flag::ack, .rel_seq = 531, .rel_ack = 2210, .state = established}));
  story.add(3, ResetEntry{.sent = true,
                          .has_socket = true,
                          .kind = ResetReason::keepalive_timeout,
                          .reason = "SK_RST_REASON_TCP_KEEPALIVE_TIMEOUT",
                          .process = {},
                          .segment = story.last()});
  story.add(2, timed_out(established, close, "keep-alive"));
  story.add(1, ErrorEntry{.error = 110});
  Finding dead{
      .rule = Rule::keepalive,
      .confidence = Confidence::certain,
      .arguments =
          arguments::OwnWords{"3 of 3 probes unanswered (first after 20 s idle, then every 1 s): the kernel gave up"},
      .evidence = {id + 1, id + 3, id + 5, id + 7}};
  story.tell(FindingReport{.conn = conn, .ts_ns = story.now(), .flow = where, .finding = dead});
  story.tell(
      Life{.conn = conn,
           .start_ts_ns = midnight + 5'000'000'000,
           .ts_ns = story.now(),
           .flow = where,
           .role = Role::active,
           .process = psql,
           .netns = 4026531840,
           .outcome = Outcome::keepalive_timeout,
           .explanation = "Nothing came from the peer for 23.1 s and 3 keep-alive probes went unanswered; the "
                          "kernel sent a RST into the silence and psql[977] gets ETIMEDOUT.",
           .error = 110,
           .closed_by = ClosedBy::local,
           .preexisting = true,
           .has_kernel = true,
           .has_wire = true,
           .duration_ns = story.now() - midnight - 5'000'000'000,
           .tx_bytes = 530,
           .rx_bytes = 2209,
           .srtt_us = 388,
           .wire = WireTotals{.tx_bytes = 0, .rx_bytes = 0, .tx_segments = 4, .rx_segments = 0, .complete = false},
           .states = {established, close},
           .findings = {dead}});
  return story.reports;
}

// The reader sleeps: its window closes, probes are answered, it opens again.
inline Reports zero_window(ConnectionId conn = 4, EventId id = 60) {
  using enum TcpState;
  const Process dd = process(5011, "sender \x1b[31m\xff\"x\"", PidSource::send);
  const Flow where = flow("2001:db8:7::1", 33990, "2001:db8:7::2", 9000);
  Story story(conn, where, id, midnight + 40'000'000'000);
  story.add(0, wire({.flags = tcp_flag::psh | tcp_flag::ack,
                     .rel_seq = 64001,
                     .rel_ack = 1,
                     .len = 1536,
                     .state = established,
                     .analysis = {"window full"}}));
  story.add(44'012, wire({.out = false,
                          .rel_seq = 1,
                          .rel_ack = 65537,
                          .state = established,
                          .analysis = {"zero window"},
                          .window = 0}));
  story.add(8, OwnerEntry{.process = dd});
  story.add(203'999, wire({.rel_seq = 65536, .rel_ack = 1, .state = established, .analysis = {"zero window probe"}}));
  story.add(2, ProbeEntry{.sent = true, .probe = 1, .unsent_bytes = 2'621'440, .segment = story.last()});
  story.add(311, wire({.out = false,
                       .rel_seq = 1,
                       .rel_ack = 65537,
                       .state = established,
                       .analysis = {"zero window", "zero window probe ACK"},
                       .window = 0}));
  story.add(3'204'112, wire({.out = false,
                             .rel_seq = 1,
                             .rel_ack = 65537,
                             .state = established,
                             .analysis = {"window update"},
                             .window = 512}));
  story.add(57,
            wire({.rel_seq = 65537, .rel_ack = 1, .len = 1440, .state = established, .analysis = {"retransmission"}}));
  story.add(3, RetransmitEntry{.cause = RetransmitKind::rto,
                               .rel_seq = 65537,
                               .relative = true,
                               .segment = id + 7,
                               .len = 1440,
                               .err = 0,
                               .rto_us = 204'000,
                               .attempt = 1});
  Finding zero{
      .rule = Rule::zero_window,
      .confidence = Confidence::likely,
      .arguments =
          arguments::OwnWords{"the peer closed its window for 3.41 s: its process does not read; 2.5 MiB wait here"},
      .evidence = {id + 1, id + 3, id + 6}};
  Finding again{.rule = Rule::retransmission,
                .confidence = Confidence::certain,
                .arguments = arguments::OwnWords{"the retransmission timer fired once"},
                .evidence = {id + 7, id + 8}};
  story.tell(FindingReport{.conn = conn, .ts_ns = story.now(), .flow = where, .finding = zero});
  story.tell(FindingReport{.conn = conn, .ts_ns = story.now(), .flow = where, .finding = again});
  story.tell(Life{.conn = conn,
                  .start_ts_ns = midnight + 40'000'000'000,
                  .ts_ns = story.now(),
                  .flow = where,
                  .role = Role::unknown,
                  .process = dd,
                  .netns = 4026531840,
                  .outcome = Outcome::open,
                  .explanation = "Still open: the peer did not read for 3.41 s and this side could not send.",
                  .preexisting = true,
                  .has_kernel = true,
                  .has_wire = true,
                  .incomplete = true,
                  .duration_ns = story.now() - midnight - 40'000'000'000,
                  .tx_bytes = 8'123'456'789,
                  .rx_bytes = 0,
                  .retransmits = 1,
                  .srtt_us = 311,
                  .wire = WireTotals{.tx_bytes = 66'976, .rx_bytes = 0, .tx_segments = 48, .rx_segments = 31},
                  .states = {established},
                  .findings = {zero, again, zero}});
  return story.reports;
}

// A segment that fits no connection, and the RST it got: entries with conn 0.
inline Reports stray() {
  Story story(0, flow("192.168.7.1", 8080, "192.168.7.66", 4444), 80, midnight + 50'000'000'000);
  SegmentEntry in = wire({.out = false, .flags = tcp_flag::ack, .rel_seq = 0, .rel_ack = 0});
  in.relative = false;
  in.rel_seq = in.segment.seq = 1111;
  in.rel_ack = in.segment.ack = 2222;
  in.window_bytes.reset();
  in.segment.socket.type = SocketKind::none;
  in.segment.vlan_id = 12;
  story.add(0, in);
  SegmentEntry out = wire({.flags = tcp_flag::rst});
  out.relative = false;
  out.rel_seq = out.segment.seq = 2222;
  out.segment.socket.type = SocketKind::control;
  out.window_bytes.reset();
  story.add(14, out);
  story.add(3, ResetEntry{.sent = true,
                          .has_socket = false,
                          .kind = ResetReason::no_socket,
                          .reason = "SK_RST_REASON_NO_SOCKET",
                          .process = {},
                          .segment = 80});
  return story.reports;
}

// A web server's side, its wire not watched; and one whose kernel was not watched.
inline Reports one_witness() {
  using enum TcpState;
  return {Life{.conn = 5,
               .start_ts_ns = midnight + 60'000'000'000,
               .ts_ns = midnight + 60'250'000'000,
               .flow = flow("192.168.178.101", 443, "203.0.113.200", 58112),
               .role = Role::passive,
               .process = process(812, "nginx", PidSource::accept),
               .netns = 4026531840,
               .outcome = Outcome::reset_by_peer,
               .explanation = "",
               .error = 104,
               .closed_by = ClosedBy::peer,
               .has_kernel = true,
               .duration_ns = 250'000'000,
               .handshake_ns = 23'400'000,
               .tx_bytes = 14'600,
               .rx_bytes = 517,
               .retransmits = 2,
               .srtt_us = 23'871,
               .states = {syn_recv, established, close}},
          Life{.conn = 6,
               .start_ts_ns = midnight + 61'000'000'000,
               .ts_ns = midnight + 61'000'412'345,
               .flow = flow("10.0.0.7", 5000, "10.0.0.8", 6000),
               .role = Role::passive,
               .process = {},
               .outcome = Outcome::unknown,
               .explanation = "",
               .closed_by = ClosedBy::both,
               .has_wire = true,
               .duration_ns = 412'345,
               .tx_bytes = 1023,
               .rx_bytes = 1024,
               .wire = WireTotals{.tx_bytes = 1023, .rx_bytes = 1024, .tx_segments = 9, .rx_segments = 8}}};
}

inline Ready ready() {
  return {.ts_ns = midnight,
          .version = "0.1.0",
          .kernel = "6.18.5",
          .hooks = {{"kernel_state", "sock:inet_sock_set_state", "tp_btf", ""},
                    {"kernel_retransmit", "tcp:tcp_retransmit_skb", "tp_btf", ""},
                    {"kernel_retransmit_synack", "tcp:tcp_retransmit_synack", "off",
                     "this kernel has another signature; the causes of SYN-ACK retransmissions are lost"},
                    {"snapshot_tcp", "iter/tcp", "iter", ""},
                    {"wire_ingress", "lo", "tcx", "generic XDP would copy every segment on loopback"},
                    {"wire_egress", "lo", "tcx", ""},
                    {"wire_ingress", "veth0", "xdp-generic", "native XDP on veth switches the peer's GSO off"},
                    {"wire_egress", "veth0", "tcx", ""},
                    {"wire_ingress", "veth1", "xdp-generic", "native XDP on veth switches the peer's GSO off"},
                    {"wire_egress", "veth1", "tcx", ""}},
          .ring_bytes = 4U << 20U};
}

inline Summary summary() {
  Summary summary{.ts_ns = midnight + 90'000'000'000, .connections = 6, .lost = 1234, .malformed = 0};
  summary.events[TW_KIND_STATE] = 14;
  summary.events[TW_KIND_SEGMENT] = 29;
  summary.events[TW_KIND_RETRANSMIT] = 1;
  summary.events[TW_KIND_RESET] = 3;
  summary.events[TW_KIND_ERROR] = 2;
  summary.events[TW_KIND_DESTROY] = 4;
  summary.events[TW_KIND_OWNER] = 2;
  return summary;
}

inline GapReport gap() {
  return {
      .ts_ns = midnight + 42'000'000'000,
      .gap = {.lost = 1234, .cpu = 3, .from_ts_ns = midnight + 41'980'000'000, .to_ts_ns = midnight + 42'000'000'000}};
}

// Everything, in the order of a run.
inline Reports run() {
  Reports all{ready()};
  const auto append = [&](Reports more) { std::ranges::move(more, std::back_inserter(all)); };
  append(curl());
  append(refused());
  append(keepalive_death());
  all.emplace_back(gap());
  append(zero_window());
  append(stray());
  append(one_witness());
  all.emplace_back(summary());
  return all;
}

}  // namespace tcpwitness::golden

// SPDX-License-Identifier: Apache-2.0
//
// Data on the way: lost once and repaired by the tail-loss probe, by fast retransmission or by the timer, and much
// of it. Segments are lost at the server's input, so the client's interface saw them leave.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

// One segment was lost, and this is how the client's kernel repaired that, by its own report.
void repaired_once(Script& s, const char* counter) {
  s.require(s.dropped(Side::server) == 1, "one segment was lost");
  s.fact("repaired_by", counter);
  s.require(s.counted(Side::client, counter) == 1, fmt::format("{} is 1", counter));
  s.unsilence(Side::server);
}

}  // namespace

void retransmission_tail(Script& s) {
  s.establish();
  s.exchange();
  s.drop_once(Side::server, Hook::input, data_segment);
  s.client_sends("lost once, sent twice\n");  // > PA is lost, > PA
  repaired_once(s, "TCPLossProbes");
  s.close_both();
}

void retransmission_fast(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_early_retrans", "0");  // an ACK that waits for a processor is no loss
  s.establish();
  s.client().set(s.connection.client, IPPROTO_TCP, TCP_NODELAY, 1).ok();
  s.exchange();
  s.drop_once(Side::server, Hook::input, data_segment);
  // Separate segments, or the first loss would take them all: the veth pair carries what one send() gave as one.
  constexpr uint64_t size = 4000;
  s.client()
      .send_bytes(s.connection.client, size, 8)
      .ok(size);  // > PA is lost, > PA, < A with SACK, > PA the first again
  s.played.client_bytes += size;
  s.server().receive(s.connection.server, size).ok(size);
  repaired_once(s, "TCPFastRetrans");
  s.close_both();
}

void retransmission_rto(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_early_retrans", "0");  // no tail-loss probe: only the timer is left
  s.establish();
  s.exchange();
  s.drop_once(Side::server, Hook::input, data_segment);
  s.client_sends("lost once, sent twice\n");
  repaired_once(s, "TCPTimeouts");
  s.close_both();
}

void retransmission_spurious(Script& s) {
  s.set_sysctl(Side::client, "net.ipv4.tcp_early_retrans", "0");
  s.establish();
  s.exchange();
  s.pause(Millis(100));
  s.drop_once(Side::server, Hook::output, "tcp flags & (fin|syn|rst|psh|ack) == ack");
  s.client_sends("it arrived, its acknowledgement did not\n");  // > PA   < A is lost
  s.client().all_acknowledged(s.connection.client).ok();        // > PA again   < A with DSACK
  s.require(s.dropped(Side::server) == 1, "one acknowledgement was lost");
  s.fact("dsacks", s.counted(Side::client, "TCPDSACKRecv"));
  s.require(s.counted(Side::client, "TCPDSACKRecv") == 1, "the server said that it had it");
  s.unsilence(Side::server);
  s.close_both();
}

void two_paths_before(Script& s) { s.add_second_cable(); }

void two_paths(Script& s) {
  s.establish();
  s.exchange();
  s.route_over_second_cable(true);
  constexpr uint64_t size = 1000;
  s.client().send_bytes(s.connection.client, size).ok(size);
  s.server().receive(s.connection.server, size).ok(size);
  s.client().all_acknowledged(s.connection.client).ok();
  s.route_over_second_cable(false);
  s.played.client_bytes += size;
  s.fact("second_cable_bytes", size);
  s.close_both();
}

void asymmetric_route_before(Script& s) {
  s.route_through_third_machine();
  s.add_second_cable();
}

void asymmetric_route(Script& s) {
  s.route_over_second_cable(true);
  s.establish();
  s.exchange();
  s.close_both();
  s.route_over_second_cable(false);
}

void bulk(Script& s) {
  s.establish();
  const uint64_t size = s.options().bulk_bytes;
  s.server().begin_drain(s.connection.server, Millis(14000));
  s.client().send_bytes(s.connection.client, size).ok(static_cast<int64_t>(size));
  s.played.client_bytes = size;
  s.client().close(s.connection.client).ok();
  s.server().end_drain().ok(static_cast<int64_t>(size));
  s.server().close(s.connection.server).ok();
  s.played.closed_first = Closer::client;
  s.await_state(Side::client, "TIME_WAIT");
}

}  // namespace tcpwitness::lab::cases

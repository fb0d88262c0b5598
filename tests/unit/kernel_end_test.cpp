// SPDX-License-Identifier: Apache-2.0
// kernel_end_test.cpp: ends that this machine's kernel brought about, and no close() of a process: a socket that is
// removed, a listener that goes, no room for an orphan, a way out that is gone.
#include <cerrno>

#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// A segment for this connection finds no socket, and is answered.
void finds_no_socket(Side& c) {
  c.view = SocketKind::none;
  c.in(PA, 1);
  c.kernel_reset_without_socket(reason_no_socket);
  c.view = SocketKind::control;
  c.out(R);
}

// ss -K removes a mini-socket in FIN_WAIT2, and nothing shows it before the peer sends again.
TEST(KernelEnds, AMiniSocketThatIsGoneBeforeItsTimeIsNoTimeout) {
  const auto gone_after = [](std::int64_t waited) {
    Stream stream;
    Side c = closes_for_good(stream);
    stream.wait(waited);
    finds_no_socket(c);
    return run(stream.events, life_settings(), 1 * s);
  };
  const RunResult early = gone_after(1 * s);
  EXPECT_EQ(early.life().outcome, Outcome::reset_by_local);
  EXPECT_GE(early.life().duration_ns, 1 * s);
  EXPECT_LT(early.life().duration_ns, 1100 * ms);
  EXPECT_TRUE(early.life().explanation.contains("gone before its time (3 s) was over")) << early.life().explanation;
  EXPECT_TRUE(says(early.finding(Rule::reset_origin), "NO_SOCKET"));
  const RunResult late = gone_after(3 * s + 100 * ms);
  EXPECT_EQ(late.life().outcome, Outcome::fin_wait2_timeout);
  EXPECT_FALSE(late.finding(Rule::reset_origin).has_value());
}

// A connection that was open before the run, and whose process nothing has shown.
TEST(KernelEnds, AnotherProcessDestroysWhatNobodyIsKnownToHave) {
  for (const int error : {ECONNABORTED, 0}) {
    Stream stream;
    Side c = client_of(stream);
    c.found(SocketKind::full, State::established);
    stream.wait(1 * s);
    c.state = State::established;
    c.kernel_reset(ResetDirection::sent, reason_tcp_state, curl);
    c.out(RA);
    c.extra.sk_err = static_cast<std::uint16_t>(error);
    c.to(State::close, curl);
    if (error != 0) c.error(error);
    c.destroy();
    const RunResult reported = run(stream.events, life_settings(), 1 * s);
    EXPECT_EQ(reported.life().outcome, Outcome::reset_by_local);
    EXPECT_EQ(says(reported.finding(Rule::reset_origin), "another process destroyed the socket"), error != 0)
        << finding_text(reported.finding(Rule::reset_origin));
  }
}

// The handshake's last ACK comes when the listener has closed.
TEST(KernelEnds, ARequestGoesWithItsListener) {
  const auto answered = [](bool request) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    request ? is_asked(c) : accepts(c);
    stream.wait(1 * s);
    finds_no_socket(c);
    return run(stream.events, life_settings(), 1 * s).life();
  };
  const Life request = answered(true);
  EXPECT_EQ(request.outcome, Outcome::reset_by_local);
  EXPECT_TRUE(request.explanation.contains("the listener was gone")) << request.explanation;
  EXPECT_NE(answered(false).outcome, Outcome::reset_by_local) << "that is a socket, of which nothing is known";
}

struct ListenerEnd {
  std::uint32_t reason = reason_tcp_state;
  bool unaccepted = true;
  std::uint16_t error = 0;
  Caller by = nobody;
  Caller listener_by = nobody;  // who ended the listening socket
  bool two_listen = false;      // on that port (SO_REUSEPORT)
  std::int64_t other_ns = -1;   // the other one's was ended so long before, by the worker
};

RunResult child_ends(const ListenerEnd& how) {
  Stream stream;
  listens(stream);
  if (how.two_listen) listens(stream, worker, 4);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 5);
  if (how.unaccepted) c.extra.details = TW_CB_UNACCEPTED;
  if (!how.unaccepted) c.used(nginx, OwnerSource::receive);
  c.extra.sk_err = how.error;
  if (how.other_ns >= 0) {
    Side listener(stream, 4, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
    listener.state = State::listen;
    listener.to(State::close, worker);
    stream.wait(how.other_ns);
  }
  if (how.listener_by.pid != 0) {
    Side listener(stream, 3, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
    listener.state = State::listen;
    listener.to(State::close, how.listener_by);
  }
  c.to(State::close, how.by);
  c.out(RA);
  c.kernel_reset(ResetDirection::sent, how.reason, how.by);
  c.error(how.error != 0 ? how.error : ECONNRESET);
  c.destroy();
  return run(stream.events);
}

TEST(KernelEnds, AListenerThatClosesResetsWhatItHasNotAccepted) {
  const RunResult closed = child_ends({});
  EXPECT_EQ(closed.life().outcome, Outcome::reset_by_local);
  EXPECT_TRUE(closed.life().explanation.contains("The listener of nginx[80] closed before accept()"))
      << closed.life().explanation;
  const auto origin = closed.finding(Rule::reset_origin);
  EXPECT_TRUE(says(origin, "the listener of nginx[80] closed before accept()")) << finding_text(origin);
  EXPECT_EQ(origin->confidence, Confidence::certain);
}

// ss -K of the listening socket: its process has closed nothing.
TEST(KernelEnds, AListenerThatAnotherProcessEndsDidNotCloseByItself) {
  const RunResult other = child_ends({.listener_by = worker});
  EXPECT_TRUE(other.life().explanation.contains("The listener of nginx[80] was closed by another process"))
      << other.life().explanation;
  EXPECT_TRUE(says(other.finding(Rule::reset_origin), "the listener of nginx[80] was closed by another process"));
  EXPECT_TRUE(says(child_ends({.listener_by = nginx}).finding(Rule::reset_origin), "the listener of nginx[80] closed"));
}

// Of two that listen on one port it is not known which one's queue that was, until the one closes that resets it.
TEST(KernelEnds, OfTwoListenersTheOneThatClosesIsNamed) {
  const RunResult closed = child_ends({.listener_by = nginx, .two_listen = true});
  EXPECT_TRUE(closed.life().explanation.contains("nginx[80] closed the listener before accept()"))
      << closed.life().explanation;
  const auto origin = closed.finding(Rule::reset_origin);
  EXPECT_TRUE(says(origin, "nginx[80] closed the listener before accept() had taken")) << finding_text(origin);
  EXPECT_FALSE(says(child_ends({.two_listen = true}).finding(Rule::reset_origin), "nginx")) << "nobody is shown";
  const auto after = [](std::int64_t ns) {
    return child_ends({.listener_by = nginx, .two_listen = true, .other_ns = ns}).finding(Rule::reset_origin);
  };
  EXPECT_FALSE(says(after(1 * ms), "closed the listener"))
      << "it can have been the worker's: " << finding_text(after(1 * ms));
  EXPECT_TRUE(says(after(2 * s), "nginx[80] closed the listener"));
}

TEST(KernelEnds, AlmostAListenerThatCloses) {
  EXPECT_FALSE(says(child_ends({.unaccepted = false, .by = nginx}).finding(Rule::reset_origin), "the listener"));
  EXPECT_FALSE(says(child_ends({.error = ECONNABORTED}).finding(Rule::reset_origin), "the listener")) << "ss -K";
  EXPECT_FALSE(says(child_ends({.reason = reason_abort_on_data}).finding(Rule::reset_origin), "the listener"));
}

// tcp_check_oom(): the process only called close().
TEST(KernelEnds, NoRoomForAnOrphanIsNotItsProcessesChoice) {
  const auto closes = [](std::uint32_t reason) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 500);
    c.to(State::fin_wait1, curl);
    c.to(State::close, curl);
    c.out(RA);
    c.kernel_reset(ResetDirection::sent, reason, curl);
    c.destroy();
    return run(stream.events);
  };
  const RunResult full = closes(reason_abort_on_memory);
  EXPECT_EQ(full.life().outcome, Outcome::reset_by_local);
  const auto origin = full.finding(Rule::reset_origin);
  EXPECT_EQ(origin->reset, ResetOrigin::kernel);
  EXPECT_TRUE(says(origin, "net.ipv4.tcp_max_orphans")) << finding_text(origin);
  EXPECT_EQ(closes(reason_tcp_state).finding(Rule::reset_origin)->reset, ResetOrigin::process);
}

// The interface is gone: no route for a probe, nor for the RST that the kernel reports at the end.
struct Keepalive {
  bool probes_leave = false;
  bool everywhere = true;
  int dropped = 0;  // segments on their way out, the RST the last of them
};

RunResult keepalive_ends(const Keepalive& how) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  stream.wait(2 * s);
  if (how.probes_leave) sends_probe(c);
  stream.wait(1 * s);
  if (how.probes_leave) c.out(RA);
  for (int left = how.dropped; left > 0; --left) c.drop(drop_netfilter, true, left == 1 ? RA : A);
  c.kernel_reset(ResetDirection::sent, reason_keepalive);
  c.extra.sk_err = ETIMEDOUT;
  c.to(State::close);
  c.error(ETIMEDOUT);
  c.destroy();
  CorrelatorSettings settings = life_settings();
  settings.every_interface = how.everywhere;
  return run(stream.events, settings);
}

TEST(KernelEnds, KeepaliveThatNeverLeftSentNoReset) {
  const RunResult unsent = keepalive_ends({});
  EXPECT_EQ(unsent.life().outcome, Outcome::keepalive_timeout);
  EXPECT_TRUE(unsent.life().explanation.contains("No keep-alive probe left this machine: the kernel gave up, and"))
      << unsent.life().explanation;
  EXPECT_FALSE(unsent.finding(Rule::reset_origin).has_value());
  const auto finding = unsent.finding(Rule::tx_not_sent);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_TRUE(says(finding, "no keep-alive probe left this machine"));
}

TEST(KernelEnds, KeepaliveThatTheKernelDroppedSentNoReset) {
  const RunResult dropped = keepalive_ends({.everywhere = false, .dropped = 4});
  EXPECT_FALSE(dropped.finding(Rule::reset_origin).has_value());
  EXPECT_TRUE(dropped.life().explanation.contains("No keep-alive probe left this machine"))
      << dropped.life().explanation;
  // Almost: one probe of three has no drop.
  EXPECT_TRUE(keepalive_ends({.everywhere = false, .dropped = 3}).finding(Rule::reset_origin).has_value());
}

TEST(KernelEnds, AlmostKeepaliveThatNeverLeft) {
  for (const Keepalive& how : {Keepalive{.probes_leave = true}, Keepalive{.everywhere = false}}) {
    const RunResult reported = keepalive_ends(how);
    EXPECT_FALSE(reported.finding(Rule::tx_not_sent).has_value());
    EXPECT_TRUE(reported.finding(Rule::reset_origin).has_value());
  }
}

// A veth whose other end is down, or takes no segment of that length.
TEST(KernelEnds, WhatAnInterfaceRefusesNeverLeft) {
  const auto refused = [](int of_two) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    for (int i = 0; i < 2; ++i) c.retransmit(4, 0, 1, [&](Retransmit& r) { r.err = i < of_two ? 1 : 0; });
    return run(stream.events).finding(Rule::tx_not_sent);
  };
  const auto all = refused(2);
  EXPECT_TRUE(says(all, "2 segments that TCP sent again never left")) << finding_text(all);
  EXPECT_EQ(all->confidence, Confidence::likely);
  EXPECT_FALSE(refused(1).has_value()) << "one left";
}

}  // namespace
}  // namespace tcpwitness::testing

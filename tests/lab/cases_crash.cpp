// SPDX-License-Identifier: Apache-2.0
//
// One end dies. The dying process is a real one and bears a name of its own, lab-victim; the three ways to die look
// different on the wire because of what its kernel still has of it: everything read (FIN), something unread (RST),
// nothing any more (silence, then RST).

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

constexpr const char* victim = "lab-victim";

void name_the_victim(Script& s) {
  s.server().rename(victim).ok();
  s.played.server = s.server().identity();
  s.played.killed = s.played.server;
}

// The power fails: nothing gets in or out, and the kernel forgets. A socket under repair is dropped without a word when
// its process dies, which is what a host that lost its memory has in common with one that never knew.
void power_fails(Script& s) {
  s.silence(Side::server);
  s.server().set(s.connection.server, IPPROTO_TCP, TCP_REPAIR, 1).ok();
  s.server().kill();
  s.await_state(Side::server, "gone");
  s.await_state(Side::client, "ESTABLISHED");
}

}  // namespace

void kill_clean(Script& s) {
  name_the_victim(s);
  s.establish();
  s.exchange();
  s.server().kill();  // < FA
  s.played.closed_first = Closer::server;
  s.client().drain(s.connection.client).ok(0);
  s.await_state(Side::client, "CLOSE_WAIT");
  s.client().close(s.connection.client).ok();  // > FA   < A
  s.await_state(Side::server, "TIME_WAIT");
  s.await_state(Side::client, "gone");
}

void kill_unread(Script& s) {
  name_the_victim(s);
  s.establish();
  s.exchange();
  const std::string_view last_words = "nobody will read this\n";
  s.client().send(s.connection.client, last_words).ok();
  s.played.client_bytes += last_words.size();
  s.server().unread(s.connection.server, last_words.size()).ok();
  s.fact("unread_bytes", last_words.size());
  s.server().kill();  // < RA
  s.played.closed_first = Closer::server;
  s.client_fails(s.client().drain(s.connection.client), ECONNRESET);
  s.await_state(Side::client, "gone");
  s.await_state(Side::server, "gone");
  s.client().close(s.connection.client).ok();
}

void vanish(Script& s) {
  name_the_victim(s);
  s.establish();
  s.exchange();
  power_fails(s);

  const std::string_view question = "are you still there?\n";
  s.client().send(s.connection.client, question).ok();  // > PA, no answer
  s.played.client_bytes += question.size();
  s.client().receive(s.connection.client, 1, Millis(800)).fails_with(ETIME);  // > PA again and again
  s.fact("unanswered_segments", s.dropped(Side::server));

  s.unsilence(Side::server);                                          // the host is back, the connection is not
  s.client_fails(s.client().drain(s.connection.client), ECONNRESET);  // > PA   < R
  s.await_state(Side::client, "gone");
  s.client().close(s.connection.client).ok();
}

void reboot_idle(Script& s) {
  name_the_victim(s);
  s.establish();
  const int fd = s.connection.client;
  s.client().set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1).ok();
  s.client().set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1).ok();
  s.client().set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3).ok();
  s.client().set(fd, SOL_SOCKET, SO_KEEPALIVE, 1).ok();
  s.exchange();
  s.pause(Millis(100));
  power_fails(s);
  s.unsilence(Side::server);                         // back before anybody noticed
  s.client_fails(s.client().drain(fd), ECONNRESET);  // > A at snd_una - 1   < R
  s.await_state(Side::client, "gone");
  s.client().close(fd).ok();
}

}  // namespace tcpwitness::lab::cases

// SPDX-License-Identifier: Apache-2.0
//
// What this machine does to segments beside TCP: a firewall that drops or refuses them on the way in or out, and a
// queue before the interface that has no room. Here segments are lost in the namespace that is watched: that is what
// is to be seen.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lab/cases.hpp"

namespace tcpwitness::lab::cases {
namespace {

// One retry, a second after the first SYN; over after two (three before Linux 6.5).
void connect_in_vain(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.set_sysctl(Side::client, "net.ipv4.tcp_syn_retries", "1");
  const int fd = s.client_socket(at);
  const Call attempt = s.client().connect(fd, at, Millis(0));
  attempt.fails_with(EINPROGRESS);
  s.played.client_at = attempt.local();
  s.played.server_at = at;
  s.await_state(Side::client, "SYN_SENT");
  s.client_fails(s.client().connected(fd, Millis(8000)), ETIMEDOUT);
  s.client().close(fd).ok();
}

void drop_input_at(Script& s, const Endpoint& at) {
  s.establish(at);
  s.exchange();
  s.drop_once(Side::server, Hook::input, data_segment);
  s.client_sends("lost at the door, sent twice\n");  // > PA arrives and is dropped, > PA
  s.require(s.dropped(Side::server) == 1, "one segment was dropped");
  s.unsilence(Side::server);
  s.close_both();
}

}  // namespace

void drop_input(Script& s) { drop_input_at(s, {server_ip, service_port}); }

void drop_input_ipv6(Script& s) { drop_input_at(s, {server_ip6, service_port}); }

void drop_output(Script& s) {
  s.establish();
  s.exchange();
  s.pause(Millis(100));
  s.drop_once(Side::client, Hook::output, data_segment);
  s.client_sends("kept at home, sent twice\n");
  s.require(s.dropped(Side::client) == 1, "one segment was dropped");
  s.unsilence(Side::client);
  s.close_both();
}

void reject_input(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.listen(at);
  s.reject(Side::server, Hook::input, syn);
  const int fd = s.client_socket(at);
  const Call attempt = s.client().connect(fd, at);  // > S   < RA, by the firewall
  s.client_fails(attempt, ECONNREFUSED);
  s.played.client_at = attempt.local();
  s.played.server_at = at;
  s.client().close(fd).ok();
}

void reject_icmp(Script& s) {
  const Endpoint at{server_ip, service_port};
  s.listen(at);
  s.reject(Side::server, Hook::input, syn, Refusal::icmp);
  const int fd = s.client_socket(at);
  const Call attempt = s.client().connect(fd, at);  // > S   < ICMP port unreachable
  s.client_fails(attempt, ECONNREFUSED);
  s.played.client_at = attempt.local();
  s.played.server_at = at;
  s.client().close(fd).ok();
}

void reject_established(Script& s) {
  s.establish();
  s.exchange();
  s.pause(Millis(100));
  s.reject(Side::server, Hook::input, data_segment);
  s.client().send(s.connection.client, "any news?\n").ok();  // > PA   < R, by the server's firewall
  s.client_fails(s.client().drain(s.connection.client), ECONNRESET);
  s.await_state(Side::client, "gone");
  s.await_state(Side::server, "ESTABLISHED");  // its TCP did not send the RST
  s.client().close(s.connection.client).ok();
}

void reject_output(Script& s) {
  s.establish();
  s.exchange();
  s.pause(Millis(100));
  s.reject(Side::client, Hook::output, data_segment);
  s.client().send(s.connection.client, "any news?\n").ok();  // PA does not leave; the client's own firewall answers RA
  s.client_fails(s.client().drain(s.connection.client), ECONNRESET);
  s.await_state(Side::client, "gone");
  s.await_state(Side::server, "ESTABLISHED");
  s.client().close(s.connection.client).ok();
}

void connect_ignored(Script& s) {
  s.listen();
  s.drop(Side::client, Hook::input, syn_ack);
  connect_in_vain(s);  // > S   < SA, dropped at the client's door, again and again
  s.fact("synacks_dropped", s.dropped(Side::client));
  s.require(s.dropped(Side::client) >= 2, "the server answered each SYN");
}

void connect_unsent(Script& s) {
  s.listen();
  s.drop(Side::client, Hook::output, syn);
  connect_in_vain(s);
  s.fact("syns_dropped", s.dropped(Side::client));
  s.require(s.dropped(Side::client) >= 2, "the SYN was to be sent, and again");
}

void connect_unsent_queue(Script& s) {
  s.listen();
  s.set_queue(Side::client, "bfifo limit 1");  // one byte: nothing fits
  connect_in_vain(s);
}

void queue_overflow(Script& s) {
  s.establish();
  s.client().set(s.connection.client, IPPROTO_TCP, TCP_NODELAY, 1).ok();
  s.exchange();
  s.pause(Millis(100));
  // About three segments pass at once and three wait, at 16 kB/s; the queue has no room for the rest.
  s.set_queue(Side::client, "tbf rate 128kbit burst 1800 limit 1800");
  constexpr uint64_t size = 5000;
  s.client().send_bytes(s.connection.client, size, 10).ok(size);
  s.played.client_bytes += size;
  s.server().receive(s.connection.server, size).ok(size);
  s.set_queue(Side::client, "");
  s.close_both();
}

}  // namespace tcpwitness::lab::cases

// SPDX-License-Identifier: Apache-2.0
// queues.cpp: a passive connection's SYNs and its last ACK beside the queues of the listener.
//
// A SYN that a full queue refuses makes no kernel event at all: the look-up that came with the
// SYN is all there is. Written from tcp_conn_request(): the accept queue is full when sk_ack_backlog >
// sk_max_ack_backlog; the SYN queue when qlen > that limit (qlen >= limit before 6.8 or so). With
// net.ipv4.tcp_syncookies a full SYN queue refuses nothing: the SYN is answered by a SYN-ACK that no request socket
// sends. Without, less than a quarter of net.ipv4.tcp_max_syn_backlog left refuses too, unless the peer is known from
// an earlier connection.
#include "correlate/notes.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

FullQueue full_queue(const SocketView& view) {
  if (view.ack_backlog > view.max_ack_backlog) return FullQueue::accept;
  if (view.max_ack_backlog != 0 && view.syn_qlen > view.max_ack_backlog) return FullQueue::syn;
  if (view.max_ack_backlog != 0 && view.syn_qlen == view.max_ack_backlog) return FullQueue::syn_at;
  const std::uint32_t most = view.max_syn_backlog;
  const bool sysctl = view.syncookies == 0 && most != 0 && view.syn_qlen > most - (most >> 2U);
  return sysctl ? FullQueue::sysctl : FullQueue::none;
}

QueueView view_of(const SocketView& view) {
  return {view.ack_backlog, view.syn_qlen, view.max_ack_backlog, view.max_syn_backlog};
}

// Another SYN comes, or the run ends, and nothing has answered the newest one.
void note_unanswered(QueueFacts& q) {
  if (q.newest_full == FullQueue::none) return;
  if (q.newest_full == FullQueue::accept) {
    q.accept_full.add(q.newest.id, q.newest.ts_ns);
    q.at_accept = q.at_newest;
  } else {
    q.syn_full.add(q.newest.id, q.newest.ts_ns);
    q.at_syn = q.at_newest;
    if (q.newest_full > q.worst) q.worst = q.newest_full;
  }
  q.newest_full = FullQueue::none;
}

void note_syn(Connection& c, const Event& e, const SocketView& view) {
  const FullQueue full = full_queue(view);
  const bool always = view.syncookies == 2;
  if ((full == FullQueue::none && !c.anomalies && !always) || c.opening.answered) return;
  QueueFacts& q = c.ensure_anomalies().queues;
  q.cookie_always = always;
  note_unanswered(q);
  if (full == FullQueue::none) return;
  // With cookies a full SYN queue is answered: what is not then has another cause.
  q.cookie_cause = full == FullQueue::syn || full == FullQueue::syn_at;
  const bool refuses = full == FullQueue::accept || view.syncookies == 0;
  q.newest = {e.id, e.ts_ns};
  q.newest_full = refuses ? full : FullQueue::none;
  q.at_newest = view_of(view);
}

// TCP offers a window in its SYN-ACK, cookie or not (tcp_select_initial_window()). A proxy before the listener offers
// none until it has reached that (synproxy_send_client_synack()).
bool may_be_cookie(const Segment& g) { return g.window != 0; }

}  // namespace

bool has_room(const SocketView& listener) {
  return full_queue(listener) == FullQueue::none && listener.syncookies != 2;
}

void note_queues(Connection& c, const Event& e, const Segment& g, bool out) {
  const bool syn = (g.flags & tcp_flag::syn) != 0;
  const bool ack = (g.flags & tcp_flag::ack) != 0;
  if (!out && g.socket.type == SocketKind::listener) {
    if (syn && !ack) {
      note_syn(c, e, g.socket);
    } else if (ack && !syn && (g.flags & tcp_flag::rst) == 0 && c.opening.answered && !c.opening.established) {
      QueueFacts& q = c.ensure_anomalies().queues;
      if (!q.cookie_ack) q.cookie_ack = {e.id, e.ts_ns};
      if (full_queue(g.socket) == FullQueue::accept) {
        q.ack_full.add(e.id, e.ts_ns);
        q.at_accept = view_of(g.socket);
      }
    }
    return;
  }
  if (!out || !syn || !ack) return;
  if (c.role == Role::passive && g.socket.type == SocketKind::none && may_be_cookie(g)) {
    QueueFacts& q = c.ensure_anomalies().queues;
    if (!q.cookie) q.cookie = {e.id, e.ts_ns};
  }
  if (!c.anomalies) return;
  // The newest SYN was answered. If it met a full queue all the same, then only in our look-up, a moment before TCP's.
  QueueFacts& q = c.anomalies->queues;
  q.cookie_syn = q.cookie && q.newest;
  q.newest_full = FullQueue::none;
}

}  // namespace tcpwitness

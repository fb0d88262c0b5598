// SPDX-License-Identifier: Apache-2.0
// queues.cpp: a passive connection's SYNs and its last ACK beside the queues of the listener.
//
// A SYN that a full queue refuses makes no kernel event at all (EVIDENCE): the look-up that came with the
// SYN is all there is. Written from tcp_conn_request(): the accept queue is full when sk_ack_backlog >
// sk_max_ack_backlog; the SYN queue when qlen > that limit (qlen >= limit before 6.8 or so), which without
// cookies refuses the SYN and with them answers it by a SYN-ACK that no request socket sends.
#include "correlate/facts.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

bool accept_full(const SocketView& view) { return view.ack_backlog > view.max_ack_backlog; }
bool syn_full(const SocketView& view) { return view.max_ack_backlog != 0 && view.syn_qlen >= view.max_ack_backlog; }

void note_syn(Connection& c, const Event& e, const SocketView& view) {
  const bool full = accept_full(view) || syn_full(view);
  // The first SYN of most connections: nothing to keep. A second one counts it, see below.
  if (!full && !c.trouble) return;
  QueueFacts& q = c.troubles().queues;
  if (c.syn_ack_seen) return;
  ++q.syns;
  if (q.syns == 1 && c.syn && c.syn.id != e.id) ++q.syns;  // the first one met no full queue
  if (!full) return;
  (accept_full(view) ? q.accept_full : q.syn_full).add(e.id);
  q.accept_queue = view.ack_backlog;
  q.syn_queue = view.syn_qlen;
  q.limit = view.max_ack_backlog;
  q.beyond = view.syn_qlen > view.max_ack_backlog;
  q.cookie_cause = !accept_full(view);
}

}  // namespace

void note_queues(Connection& c, const Event& e, const Segment& g, bool out) {
  const bool syn = (g.flags & tcp_flag::syn) != 0;
  const bool ack = (g.flags & tcp_flag::ack) != 0;
  if (!out && g.socket.type == TW_SOCKET_LISTENER) {
    if (syn && !ack) {
      note_syn(c, e, g.socket);
    } else if (ack && !syn && (g.flags & tcp_flag::rst) == 0 && c.syn_ack_seen && !c.established) {
      QueueFacts& q = c.troubles().queues;
      if (!q.cookie_ack) q.cookie_ack = {e.id, e.ts_ns};
      if (accept_full(g.socket)) {
        q.ack_full.add(e.id);
        q.accept_queue = g.socket.ack_backlog;
        q.limit = g.socket.max_ack_backlog;
      }
    }
    return;
  }
  if (!out || !syn || !ack) return;
  if (c.role == Role::passive && g.socket.type == TW_SOCKET_NONE) {
    QueueFacts& q = c.troubles().queues;
    if (!q.cookie) q.cookie = {e.id, e.ts_ns};
  }
  if (!c.trouble) return;
  // The newest SYN was answered; those before it were not. One that met a full queue and is answered all the same met
  // it only in our look-up, a moment before TCP's own.
  QueueFacts& q = c.trouble->queues;
  if (q.syns <= 1) {
    q.accept_full.clear();
    q.syn_full.clear();
  }
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// segment_lookup.cpp: the kernel's own look-up came with the segment: the socket's cookie is believed when the socket
// has the segment's ports (a control socket or a listener belongs to no connection). Otherwise the address pair names
// the newest connection that has it.
#include "correlate/segment_lookup.hpp"

#include <utility>

#include "correlate/process.hpp"
#include "values/handshake_segments.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// A SYN-ACK with another initial number than this connection had: that of a new one on the same ports.
bool answers_another_syn(const Connection& c, const Segment& g, bool out) {
  const bool known = out ? c.isn.has_local : c.isn.has_remote;
  return is_syn_ack(g) && known && (out ? c.isn.local : c.isn.remote) != g.seq;
}

// The cookie of the socket whose connection the segment belongs to; 0: the socket is not one.
std::uint64_t own_cookie(const Segment& g) {
  switch (g.socket.type) {
    case SocketKind::full:
    case SocketKind::request:
      return g.header.cookie;
    case SocketKind::time_wait:
      // A SYN that finds TIME_WAIT may begin another connection on the same ports.
      return is_syn(g) ? 0 : g.header.cookie;
    default:
      return 0;
  }
}

// Under another cookie: that of a kernel which clones a child before the cookie is inherited; Fast Open's, whose child
// is there before its SYN-ACK, which the request beside it sends again.
bool is_childs(const Connection& c, const Segment& g, bool out) {
  if (g.socket.type == SocketKind::full && c.state == State::syn_recv) return true;
  return out && is_syn_ack(g) && g.socket.type == SocketKind::request && c.isn.has_local && c.isn.local == g.seq;
}

bool alive(State s) {
  return s == State::established || s == State::fin_wait1 || s == State::fin_wait2 || s == State::close_wait ||
         s == State::last_ack || s == State::closing;
}

}  // namespace

Slot SegmentLookup::find(const Event& e, const Segment& g, const Flow& flow, bool out) {
  if (settings_.capture) return find_by_number(e, g, flow, out);
  return g.is(SegmentEvent::bad_header) ? no_slot : find_by_socket(e, g, flow, out);
}

Slot SegmentLookup::find_captured(std::uint32_t conversation) const {
  return conversation < captured_.size() ? captured_[conversation] : no_slot;
}

Slot SegmentLookup::take_captured(std::uint32_t conversation) {
  return conversation < captured_.size() ? std::exchange(captured_[conversation], no_slot) : no_slot;
}

Slot SegmentLookup::find_by_socket(const Event& e, const Segment& g, const Flow& flow, bool out) {
  const std::uint64_t cookie = settings_.has_kernel ? own_cookie(g) : 0;
  if (const Slot slot = table_.find_cookie(cookie); slot != no_slot) {
    const Connection& c = table_.at(slot);
    if (c.bound.flow ? c.flow == flow : c.flow.remote == flow.remote) {
      if (!c.reported) lives_.adopt_flow(slot, flow);
      return slot;
    }
  }
  const Slot slot = table_.find_flow(flow);
  if (slot != no_slot) {
    Connection& c = table_.at(slot);
    if (is_syn(g)) {
      // The same ISN again is a retransmission; another one begins another connection on the same ports.
      const bool known = out ? c.isn.has_local : c.isn.has_remote;
      const bool same = known && (out ? c.isn.local : c.isn.remote) == g.seq;
      // Where only the wire is seen, a SYN that comes again shows that the RST before it was not taken.
      if (same && (!c.reported || !settings_.has_kernel)) {
        if (!c.reported) table_.bind_cookie(slot, cookie);
        return slot;
      }
      const bool fresh = !known && !c.reported && !c.opening.preexisting && !c.opening.established;
      if (fresh && (cookie == 0 || c.cookie == 0 || c.cookie == cookie)) {
        table_.bind_cookie(slot, cookie);
        return slot;
      }
      if (known || c.reported || c.opening.preexisting || c.opening.established) {
        // A SYN that a live socket answers with a challenge ACK is that socket's.
        if (!c.reported && !c.ended() && g.socket.type == SocketKind::full && c.cookie == cookie) return slot;
      }
    } else if (!settings_.has_kernel && c.reported && answers_another_syn(c, g, out)) {
      return begin(e, g, flow, out);
    } else if (cookie == 0 || c.cookie == cookie || c.reported) {
      return c.reported && cookie != 0 && c.cookie != cookie ? begin(e, g, flow, out) : slot;
    } else if (c.cookie == 0) {
      table_.bind_cookie(slot, cookie);
      return slot;
    } else if (is_childs(c, g, out)) {
      return slot;
    }
  }
  return begin(e, g, flow, out);
}

// Its conversation has a number already, and which connection that is does not have to be searched for. Without one it
// is a straggler of a connection that is reported.
Slot SegmentLookup::find_by_number(const Event& e, const Segment& g, const Flow& flow, bool out) {
  const std::uint32_t number = g.analysis.conversation;
  if (number == 0) return no_slot;
  if (number >= captured_.size()) captured_.resize(number + 1U, no_slot);
  if (captured_[number] == no_slot) captured_[number] = begin(e, g, flow, out);
  return captured_[number];
}

bool SegmentLookup::begins(const Segment& g, const Flow& flow, bool out) const {
  const SocketKind type = g.socket.type;
  if (!settings_.has_kernel) {
    const bool rst = has_flag(g, tcp_flag::rst);
    const bool nobodys = !out && g.is(SegmentEvent::no_socket);  // refused, or NAT sends it on
    return settings_.capture || (!rst && !nobodys && !g.is(SegmentEvent::fragment));
  }
  if (is_syn(g)) {
    if (out) return type == SocketKind::full;
    if (has_flag(g, tcp_flag::fin) && type != SocketKind::request) return false;  // tcp_rcv_state_process() drops it
    // REQUEST: a SYN that was addressed elsewhere, and that a socket of this machine has taken (TPROXY, DNAT).
    return type == SocketKind::listener || type == SocketKind::request ||
           (type == SocketKind::time_wait && listeners_.has(flow.local));
  }
  if (is_syn_ack(g)) return out && type == SocketKind::request;
  return type == SocketKind::full && g.header.cookie != 0 && alive(g.socket.state);
}

// A segment of a connection that we do not know: some of them begin one.
Slot SegmentLookup::begin(const Event& e, const Segment& g, const Flow& flow, bool out) {
  if (!begins(g, flow, out)) return no_slot;
  const SocketKind type = g.socket.type;
  const bool preexisting = !is_syn(g) && !is_syn_ack(g);
  // What a socket of this machine sends is bounded by its sockets; what comes in is not.
  const bool own_socket = settings_.has_kernel && type == SocketKind::full;
  const bool for_listener = type == SocketKind::listener || (type == SocketKind::time_wait && !out);
  if (is_syn(g) && for_listener && !g.is(SegmentEvent::retransmission)) crowds_.note_attempt(e.id, e.ts_ns, flow);
  if (!own_socket && !settings_.capture && lives_.crowded(is_syn(g) || is_syn_ack(g))) {
    ++summary_.untracked;
    return no_slot;
  }
  const bool begun = is_syn(g) && !g.is(SegmentEvent::retransmission);
  const bool reused = settings_.capture ? (g.analysis.flags & analysis_flag::reused_ports) != 0
                                        : is_syn(g) && table_.find_flow(flow) != no_slot;
  const Slot slot = lives_.create(e.ts_ns, begun);
  Connection& c = table_.at(slot);
  if (forwarded_.any()) forwarded_.take_back(c, flow, flow);
  if (settings_.has_kernel) table_.bind_cookie(slot, own_cookie(g));
  if (settings_.capture) {
    c.flow = flow;  // nobody looks for it
  } else {
    table_.bind_flow(slot, flow);
  }
  c.opening.preexisting = preexisting && !losses_.any();
  c.opening.port_reused = reused;
  if (is_syn(g)) c.role = out ? Role::active : Role::passive;
  if (is_syn_ack(g)) c.role = out ? Role::passive : Role::active;
  if (preexisting && settings_.has_kernel) c.enter(g.socket.state);
  if (g.nat != 0) translations_.take_early(slot, g);
  if (c.role == Role::passive && settings_.has_kernel) {
    const Listener* listener = listeners_.find(type == SocketKind::listener ? g.header.cookie : 0);
    own_by_listener(c, listener != nullptr ? listener : listeners_.find(flow.local, e.ts_ns));
    if (is_syn(g)) table_.wait(slot, Wait::unanswered_syn, now_);
  }
  return slot;
}

}  // namespace tcpwitness

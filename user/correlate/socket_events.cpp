// SPDX-License-Identifier: Apache-2.0
// socket_events.cpp: none of these begins a connection: a process may keep a dead socket and still call recv() on it.
#include "correlate/socket_events.hpp"

#include <cstring>

#include "correlate/notes.hpp"
#include "correlate/payload_times.hpp"
#include "correlate/process.hpp"
#include "facts/derived.hpp"
#include "facts/reasons.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// Only an entry of origin ICMP is an ICMP message: completions and timestamps lie on the same queue.
IcmpMessage icmp_message(const SocketError& x) {
  IcmpMessage message;
  if (x.queue_origin != kernel::origin_icmp && x.queue_origin != kernel::origin_icmp6) return message;
  message.error = x.icmp_errno;
  message.type = x.icmp_type;
  message.code = x.icmp_code;
  message.v6 = x.queue_origin == kernel::origin_icmp6;
  std::memcpy(message.sender.bytes.data(), x.icmp_sender, message.sender.bytes.size());
  return message;
}

// The end of a socket whose last state event is missing. What its control block proves is kept.
bool finished_well(const Connection& c, const ControlBlock& cb) {
  if (error_ended(cb, c.state)) return false;
  if (c.state == State::last_ack || c.state == State::closing) return cb.snd_una == cb.write_seq;
  return c.state == State::fin_wait2 && fin_received(cb);
}

}  // namespace

void SocketEvents::take(const Event& e, const SocketError& x) {
  const Slot slot = table_.find_open(x.header.cookie, x.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  c.seen_by.kernel = true;
  lives_.adopt_flow(slot, to_flow(x.tuple));
  if (was_read(x.cb) && !c.ended()) c.cb = x.cb;
  // An error that the peer or a timer made is there before the socket closes; tcp_disconnect() (linger 0, a closed
  // listener, TCP_REPAIR) sets one on its own socket behind it.
  const bool own_abort = x.cb.sk_err != 0 && c.ended() && c.teardown->end_shown && c.has_cb() && c.cb.sk_err == 0;
  if (x.cb.sk_err != 0 && !own_abort) {
    c.error = x.cb.sk_err;
    c.ensure_anomalies().error = {e.id, e.ts_ns};
  }
  IcmpMessage icmp = icmp_message(x);
  icmp.own = icmp && icmp.sender == c.flow.local.address;
  if (icmp) {
    Anomalies& anomalies = c.ensure_anomalies();
    if (!anomalies.icmp_mark) anomalies.icmp_mark = {e.id, e.ts_ns};
    anomalies.icmp = icmp;
  }
  // The second report of a message, as it closes the socket: the process has read the error in between.
  const bool read = x.cb.sk_err == 0 && icmp && c.ended() && icmp.error == c.error;
  emitter_.entry(&c, e, c.flow, read ? ErrorEntry{} : ErrorEntry{x.cb.sk_err, icmp, x.queue_origin, own_abort});
}

void SocketEvents::take(const Event& e, const SocketDestroyed& d) {
  listeners_.closed(d.header.cookie, e.ts_ns);
  const Slot slot = table_.find_open(d.header.cookie, d.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (c.cookie != d.header.cookie) return;
  if (c.transitions.rival) {
    c.transitions.rival = false;
    return;
  }
  if (settings_.compare) note_measures(contexts_.measures(slot), d);
  if (d.has_wire != 0 && c.seen_by.wire) {
    c.take_counters(e.id, d.wire, d.loss);
    c.set_payload(payload_times(e, d.header, d.times));
    c.totals.final = true;
    c.totals.at_destruction = true;
  }
  if (c.ended()) {
    c.teardown->destroyed = true;
    return;
  }
  lives_.note_missing(c);  // a socket is destroyed in CLOSE only
  Teardown& teardown = c.ensure_teardown();
  const bool well = finished_well(c, d.cb);
  if (was_read(d.cb)) c.cb = d.cb;
  teardown.end = {e.id, e.ts_ns};
  teardown.end_from = c.state;
  if (c.error == 0) c.error = d.cb.sk_err;
  if (well && c.state != State::last_ack) {
    states_.enter_time_wait(slot, e, e.ts_ns, Cause{}, &d.cb);
    return;
  }
  c.enter(State::close);
  table_.wait(slot, Wait::settle, now_);
}

// Those of its children that nobody has used yet are of the same process, whoever that is now.
bool SocketEvents::take_listener(const Event& e, const OwnerSeen& o) {
  const Listener* known = listeners_.find(o.header.cookie);
  const std::uint32_t before = known != nullptr ? known->owner.pid : 0;
  if (!listeners_.owned(o.header.cookie, seen_process(o), e.ts_ns)) return false;
  if (known->owner.pid == before) return true;
  const auto take_child = [&](Connection& c) {
    const Listener* its = listeners_.find(c.flow.local, c.start_ts_ns);
    if (its == nullptr || its->owner.pid != known->owner.pid) return;
    c.owner = known->owner;
    if (c.owner.pid != 0) c.owner.source = PidSource::listen;
    lives_.owner_changed(c, e);
  };
  if (before == 0) {
    for (const Slot slot : unowned_) {
      if (waits_unowned(table_.at(slot))) take_child(table_.at(slot));
    }
    return true;
  }
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    Connection& c = table_.at(slot);
    if (c.live && !c.reported && c.owner.source == PidSource::listen && c.owner.pid == before) take_child(c);
  }
  return true;
}

void SocketEvents::take(const Event& e, const OwnerSeen& o) {
  if (o.source == OwnerSource::snapshot && take_listener(e, o)) return;
  const Slot slot = table_.find_open(o.header.cookie, o.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  note_first_call(c, e, o, settings_.slow_accept_ns);
  if (settings_.compare) note_measures(contexts_.measures(slot), o);
  const bool owns = own_by_use(c, o);
  if (owns) lives_.owner_changed(c, e);
  const bool uses = o.source == OwnerSource::send || o.source == OwnerSource::receive;
  if (uses && !owns && seen_process(o).pid != c.owner.pid) c.owner.shared = true;
  if (o.source != OwnerSource::snapshot || o.fd < 0 || c.state != State::close_wait) return;
  note_holder(c, e, o);
  if (!owns) emitter_.entry(&c, e, c.flow, OwnerEntry{seen_process(o).process(), o.fd});
}

// Nothing happened: it changes nothing of the connection.
void SocketEvents::take(const Event& e, const Sample& sample) {
  const Slot slot = table_.find_cookie(sample.header.cookie);
  if (slot == no_slot || table_.at(slot).reported) return;
  const Connection& c = table_.at(slot);
  emitter_.entry(&c, e, c.flow, SampleEntry{sample});
}

}  // namespace tcpwitness

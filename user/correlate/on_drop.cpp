// SPDX-License-Identifier: Apache-2.0
// on_drop.cpp: segments that the kernel threw away.
//
// A drop belongs to the connection of the segment's address pair: the buffer seldom carries a socket. It
// begins no connection, and what is no fault (a repeated keep-alive that TCP had answered) stays a fact
// here; which drops are findings is judged in judge/drops.cpp.
#include "correlate/witness_impl.hpp"

namespace tcpwitness {
namespace {

DropSeen* kind_of(Drops& drops, const Drop& d) {
  for (DropSeen& seen : drops.seen()) {
    if (seen.reason == d.reason && seen.out == (d.outgoing != 0)) return &seen;
  }
  if (drops.used == Drops::limit) return nullptr;
  DropSeen& seen = drops.kinds[drops.used++];
  seen.reason = d.reason;
  seen.out = d.outgoing != 0;
  return &seen;
}

}  // namespace

void Witness::Impl::on_drop(const Event& e, const Drop& d) {
  const Flow flow = to_flow(d.tuple);
  const bool out = d.outgoing != 0;
  // A SYN that a firewall drops shows its port nowhere else: the socket's cookie names the connection.
  Slot slot = out && d.has_socket != 0 ? table_.find_cookie(d.header.cookie) : no_slot;
  if (slot != no_slot && !table_.at(slot).told && !table_.at(slot).flow_bound) adopt_flow(slot, flow);
  if (slot == no_slot) slot = table_.find_flow(flow);
  Connection* c = slot == no_slot ? nullptr : &table_.at(slot);
  if (c != nullptr && !c->told) {
    c->kernel_heard = true;
    if (e.ts_ns > c->last_ts_ns) c->last_ts_ns = e.ts_ns;
    Drops& drops = c->troubles().drops;
    if ((d.flags & tcp_flag::syn) != 0) {
      const bool ack = (d.flags & tcp_flag::ack) != 0;
      if (out && !ack) ++drops.syns_out;
      if (!out && ack) ++drops.syn_acks_in;
    }
    if (DropSeen* seen = kind_of(drops, d)) {
      if (!seen->first) seen->first = {e.id, e.ts_ns};
      seen->last = {e.id, e.ts_ns};
      seen->evidence.add(e.id);
      ++seen->count;
      seen->bytes += d.len;
      seen->flags |= d.flags;
    } else {
      ++drops.untold;
    }
  }
  // TCP forgets the device before it refuses a segment, so that its namespace is not known. Some socket had it, and
  // where that is neither a connection nor a listener of this one it was another's.
  const bool ours = c != nullptr || d.header.netns != 0 || listeners_.find(flow.local) != nullptr;
  if (!ours) return;
  if (!settings_.timeline) return;
  DropEntry body;
  body.out = out;
  body.reason = names_.drop_reason(d.reason);
  const DropKind kind = drop_kind(names_, d.reason);
  body.meaning = drop_meaning(kind);
  body.repeated = !out && (kind == DropKind::old_data || kind == DropKind::old_payload);
  body.len = d.len;
  body.flags = d.flags;
  body.rel_seq = d.seq;
  body.rel_ack = d.ack;
  if (c != nullptr) {
    const bool ack = (d.flags & tcp_flag::ack) != 0;
    const bool knows_sender = out ? c->has_isn_local : c->has_isn_remote;
    const bool knows_other = out ? c->has_isn_remote : c->has_isn_local;
    body.relative = knows_sender && (knows_other || !ack);
    if (body.relative) {
      body.rel_seq -= out ? c->isn_local : c->isn_remote;
      if (ack) body.rel_ack -= out ? c->isn_remote : c->isn_local;
    }
  }
  if (c != nullptr && c->recent) {
    const Candidate* same = c->recent->find(d.seq, d.flags, out);
    if (same != nullptr) body.segment = same->id;
  }
  entry(c, e, flow, std::move(body));
}

}  // namespace tcpwitness

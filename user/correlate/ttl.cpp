// SPDX-License-Identifier: Apache-2.0
// ttl.cpp: the TTL (or hop limit) of what comes from the peer's address, and what comes behind a RST.
//
// One sender's segments cross the same hops, so a RST with another TTL than all else has perhaps another
// sender. That the peer's TCP did not send it is shown only by the peer itself: a TCP that has sent a RST has
// no connection left, and sends no new sequence numbers behind it.
#include "correlate/notes.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

void note_ttl(Connection& c, const Event& e, const Segment& g, bool out) {
  if (out) return;
  if ((g.flags & tcp_flag::rst) != 0) {
    // Of its sender's segments most are ordinary, and no events. What came before may be one that is known, the first
    // alone.
    if (c.from_peer.ttl == 0 || c.isn.has_remote) c.from_peer.note_ttl(g.ttl_before, !c.ended());
    const bool out_of_window = g.refused != Refusal::none && !takes_reset(g.socket.state, g.socket.rcv_nxt, g.seq);
    const bool before = is_challenged(g) && seq_before(g.seq, g.socket.rcv_nxt);  // a higher one can be in the window
    if ((out_of_window || before) && !c.ended()) c.ensure_anomalies().refused_resets.add(e.id);
    return;
  }
  if (g.refused > Refusal::old) return;  // perhaps not the peer's
  c.from_peer.note(g.ifindex, g.ttl, !c.ended());
  if (!c.ended() || !c.anomalies || !c.anomalies->rst_in.mark || (g.flags & tcp_flag::syn) != 0) return;
  const ResetSeen& rst = c.anomalies->rst_in;
  const bool goes_on = seq_length(g.len, g.flags) != 0 && seq_not_after(rst.seq, g.seq) && e.ts_ns >= rst.mark.ts_ns;
  if (!goes_on) return;
  constexpr std::int64_t a_pause_ns = 200'000'000;  // what a queue holds comes without one; TCP_RTO_MIN
  OutsiderFacts& outsider = c.anomalies->outsider;
  if (!outsider.goes_on) outsider = {.goes_on = {e.id, e.ts_ns}, .ttl = g.ttl, .newest_ns = rst.mark.ts_ns};
  if (e.ts_ns - outsider.newest_ns >= a_pause_ns) outsider.paused = true;
  outsider.newest_ns = e.ts_ns;
}

}  // namespace tcpwitness

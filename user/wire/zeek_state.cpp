// SPDX-License-Identifier: Apache-2.0
// zeek_state.cpp: from deeds to the word.
#include "wire/zeek_state.hpp"

namespace tcpwitness {

void ZeekState::observe(const SeenSegment& g, unsigned side) {
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  if (g.has(tcp_flag::rst)) {
    // The first one breaks off; a RST behind both FINs, or behind another RST, changes nothing any more.
    const bool over = (me == End::closed && peer == End::closed) || peer == End::reset;
    if (over) return;
    withdrawn_ = side == 0 && me == End::asked && !acknowledged_;
    me = End::reset;
    return;
  }
  if (g.has(tcp_flag::syn)) {
    if (me != End::silent) return;
    me = g.has(tcp_flag::ack) ? End::answered : End::asked;
    if (me == End::answered && peer == End::asked) me = peer = End::open;
    return;
  }
  // The handshake's last ACK, where the SYN was not seen.
  if (me == End::silent && peer == End::answered && g.has(tcp_flag::ack)) me = peer = End::open;
  if (me == End::silent) me = End::midstream;
  if (side == 0 && me == End::asked && g.len == 0) acknowledged_ = true;
  if (g.has(tcp_flag::fin) && me != End::reset) me = End::closed;
}

std::string_view ZeekState::word(bool originator_seen, bool responder_seen, bool payload) const {
  End orig = ends_[0];
  End resp = ends_[1];
  if (orig == End::silent && originator_seen) orig = End::midstream;
  if (resp == End::silent && responder_seen) resp = End::midstream;
  const auto vague = [](End end) { return end == End::silent || end == End::midstream; };
  if (resp == End::reset) {
    const bool refused = orig == End::asked || orig == End::answered || (orig == End::reset && !payload);
    if (refused) return "REJ";
    return vague(orig) ? "RSTRH" : "RSTR";
  }
  if (orig == End::reset && vague(resp)) return withdrawn_ ? "RSTOS0" : "OTH";
  if (orig == End::reset) return "RSTO";
  if (orig == End::closed && resp == End::closed) return "SF";
  if (orig == End::closed) return vague(resp) ? "SH" : "S2";
  if (resp == End::closed) return vague(orig) ? "SHR" : "S3";
  if (orig == End::asked && resp == End::silent) return "S0";
  return orig == End::open && resp == End::open ? "S1" : "OTH";
}

}  // namespace tcpwitness

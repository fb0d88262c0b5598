// SPDX-License-Identifier: Apache-2.0
#include "judge/open_socket.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "judge/judge.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

bool peer_has_closed(TcpState state) {
  return state == TcpState::close_wait || state == TcpState::last_ack || state == TcpState::closing;
}

using What = arguments::OpenSocketState::What;

std::int64_t since_last_segment(const OpenSocket& socket) {
  return std::int64_t{socket.cb.since_received_ms} * 1'000'000;
}

// A finding, and who has the socket open.
Finding certain(Rule rule, const OpenSocket& socket, arguments::OpenSocketState found) {
  if (!socket.holders.empty()) {
    const SocketHolder& first = socket.holders.front();
    found.held = true;
    found.process = {first.pid, first.comm};
    found.fd = first.fd;
  }
  return {.rule = rule, .confidence = Confidence::certain, .arguments = std::move(found)};
}

// Segments that the peer sent later would have been taken later: the FIN is at least as old as the newest one.
std::optional<Finding> stuck(const OpenSocket& s, std::int64_t stuck_ns) {
  const bool old = std::int64_t{s.cb.since_received_ms} * 1'000'000 >= stuck_ns;
  if (!old || s.cb.sk_err != 0) return std::nullopt;
  if (s.state == TcpState::close_wait) {
    return certain(Rule::close_wait_stuck, s,
                   {.what = What::peer_closed, .since_ns = since_last_segment(s), .unaccepted = is_unaccepted(s.cb)});
  }
  // With a process that has it open it is closed in one direction, and the answer may still come (RFC 9293, 3.6).
  if (s.state == TcpState::fin_wait2 && !s.holders.empty()) {
    Finding half =
        certain(Rule::peer_not_closing, s, {.what = What::peer_not_closing, .since_ns = since_last_segment(s)});
    half.confidence = Confidence::likely;
    return half;
  }
  return std::nullopt;
}

std::optional<Finding> closed_window(const OpenSocket& s) {
  const std::uint32_t unsent = s.cb.write_seq - s.cb.snd_nxt;
  if (may_have_unacknowledged(s.state) && s.cb.snd_wnd == 0 && unsent != 0) {
    // A FIN waits for the window as a byte does.
    const std::uint32_t bytes = unsent - (has_fin_out(s.state) ? 1 : 0);
    return certain(Rule::zero_window, s,
                   {.what = What::peer_window_closed, .bytes = bytes, .count = s.cb.icsk_probes_out});
  }
  const bool receives = s.state == TcpState::established || s.state == TcpState::fin_wait2;
  if (receives && s.cb.rcv_wnd == 0 && s.recv_queue != 0) {
    return certain(Rule::zero_window, s, {.what = What::own_window_closed, .bytes = s.recv_queue});
  }
  return std::nullopt;
}

std::optional<Finding> sends_again(const OpenSocket& s) {
  if (s.cb.icsk_retransmits != 0) {
    return certain(Rule::retransmission, s,
                   {.what = What::unanswered,
                    .since_ns = std::int64_t{s.cb.rto_us} * 1000,
                    .count = s.cb.icsk_retransmits,
                    .syn = s.state == TcpState::syn_sent});
  }
  if (may_have_unacknowledged(s.state) && (s.cb.ca_state == kernel::ca_recovery || s.cb.ca_state == kernel::ca_loss)) {
    return certain(Rule::retransmission, s, {.what = What::recovering, .count = s.cb.total_retrans});
  }
  return std::nullopt;
}

// Without anything that waits, probes are keep-alive probes.
std::optional<Finding> unanswered_probes(const OpenSocket& s) {
  const bool idle = s.cb.write_seq == s.cb.snd_nxt && s.cb.snd_nxt == s.cb.snd_una;
  if (s.cb.icsk_probes_out == 0 || !idle || s.cb.keepalive_probes == 0) return std::nullopt;
  return certain(Rule::keepalive, s,
                 {.what = What::unanswered_probes,
                  .since_ns = since_last_segment(s),
                  .count = s.cb.icsk_probes_out,
                  .limit = s.cb.keepalive_probes});
}

}  // namespace

std::uint32_t unread_bytes(const ControlBlock& cb) {
  const auto state = cb.state;
  if (state == TcpState::syn_sent || state == TcpState::listen) return 0;
  const auto unread = static_cast<std::int32_t>(cb.rcv_nxt - cb.copied_seq);
  if (unread <= 0) return 0;
  return static_cast<std::uint32_t>(unread) - (peer_has_closed(state) ? 1 : 0);
}

std::uint32_t unacknowledged_bytes(const ControlBlock& cb) {
  const auto state = cb.state;
  if (state == TcpState::syn_sent || state == TcpState::listen) return 0;
  const auto unacknowledged = static_cast<std::int32_t>(cb.write_seq - cb.snd_una);
  if (unacknowledged <= 0) return 0;
  return static_cast<std::uint32_t>(unacknowledged) - (has_fin_out(state) ? 1 : 0);
}

bool put_first(std::vector<SocketHolder>& holders, const std::function<bool(const SocketHolder&)>& asked) {
  const auto first = std::ranges::find_if(holders, asked);
  if (first == holders.end()) return false;
  std::ranges::rotate(holders.begin(), first, std::next(first));  // the others stay by pid
  return true;
}

std::vector<Finding> judge_open_socket(const OpenSocket& socket, std::int64_t stuck_ns) {
  std::vector<Finding> found;
  if (socket.state == TcpState::listen) {
    // sk_acceptq_is_full()
    if (socket.has_queues && socket.recv_queue > socket.send_queue) {
      found.push_back(
          certain(Rule::accept_queue_full, socket,
                  {.what = What::accept_queue_full, .count = socket.recv_queue, .limit = socket.send_queue}));
    }
    return found;
  }
  if (!socket.has_control_block) return found;
  for (auto& finding :
       {stuck(socket, stuck_ns), closed_window(socket), sends_again(socket), unanswered_probes(socket)}) {
    if (finding) found.push_back(*finding);
  }
  return found;
}

}  // namespace tcpwitness

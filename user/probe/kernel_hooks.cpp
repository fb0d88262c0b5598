// SPDX-License-Identifier: Apache-2.0
#include "probe/kernel_hooks.hpp"

#include <algorithm>
#include <array>

namespace tcpwitness {

std::span<const KernelProgram> kernel_programs() {
  static const std::array<KernelProgram, 14> programs{{
      {"kernel_state", "sock", "inet_sock_set_state", {"sock", "int", "int"}, "state transitions"},
      {"kernel_state_again",
       "sock",
       "inet_sock_set_state",
       {"sock", "int", "int"},
       "transitions that interrupt another one"},
      {"kernel_retransmit", "tcp", "tcp_retransmit_skb", {"sock", "sk_buff"}, "why the kernel retransmitted"},
      {"kernel_retransmit_synack",
       "tcp",
       "tcp_retransmit_synack",
       {"sock", "request_sock"},
       "SYN-ACKs that the kernel retransmitted"},
      {"kernel_send_reset", "tcp", "tcp_send_reset", {"sock", "sk_buff"}, "why this machine sent a RST"},
      {"kernel_receive_reset", "tcp", "tcp_receive_reset", {"sock"}, "RSTs that the kernel processed"},
      {"kernel_error", "sock", "inet_sk_error_report", {"sock"}, "errors reported to sockets"},
      {"kernel_destroy", "tcp", "tcp_destroy_sock", {"sock"}, "the final byte counts"},
      {"kernel_destroy_again", "tcp", "tcp_destroy_sock", {"sock"}, "sockets freed while another one is"},
      {"kernel_drop",
       "skb",
       "kfree_skb",
       {"sk_buff", "", "skb_drop_reason"},
       "which segments the kernel dropped, and why"},
      {"kernel_icmp_sent", "icmp", "icmp_send", {"sk_buff", "int", "int"}, "ICMP messages of this machine"},
      {"kernel_owner_send", "sock", "sock_send_length", {"sock", "int"}, "which process sends"},
      {"kernel_owner_receive", "sock", "sock_recv_length", {"sock", "int"}, "which process receives"},
      {"kernel_owner_receive_old", "tcp", "tcp_rcv_space_adjust", {"sock"}, "which process receives"},
  }};
  return programs;
}

void check_tracepoints(const DisabledFeatures& disabled, SwitchedOff& off) {
  for (const auto& program : kernel_programs()) {
    const auto found = find_tracepoint(program.tracepoint, disabled);
    if (!found.present) {
      off.emplace(program.program, "this kernel has no such tracepoint");
    } else if (found.argument_types.size() < program.arguments.size() ||
               !std::ranges::equal(program.arguments,
                                   std::span(found.argument_types).first(program.arguments.size()))) {
      off.emplace(program.program, "its signature is another on this kernel");
    }
  }
  // An extra of 6.11: without it only the drop is known.
  if (off.contains("kernel_icmp_sent")) off["kernel_icmp_sent"].clear();
  // The old source of the same fact: not needed beside the new one.
  if (!off.contains("kernel_owner_receive")) off.emplace("kernel_owner_receive_old", "");
}

bool has_argument(std::string_view tracepoint, std::size_t position, const DisabledFeatures& disabled) {
  return find_tracepoint(tracepoint, disabled).argument_types.size() > position;
}

}  // namespace tcpwitness

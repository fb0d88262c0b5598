// SPDX-License-Identifier: Apache-2.0
//
// The table of cases, and how words on the command line select from it. See catalogue.hpp.

#include "lab/catalogue.hpp"

#include <array>
#include <string>

#include "lab/cases.hpp"

namespace tcpwitness::lab {
namespace {

constexpr std::array all_situations = {
    Situation{1, "no-server", "No server"},
    Situation{2, "three-way", "The three-way handshake, and segments without one"},
    Situation{3, "crash", "One end crashes"},
    Situation{4, "close", "Normal close"},
    Situation{5, "close-together", "Both ends close together"},
    Situation{6, "idle", "Keep-alive, and what resembles it"},
    Situation{0, "firewall", "Firewalls and queues on the watched machine"},
    Situation{0, "listener", "Getting in slowly, or not at once"},
    Situation{0, "refusal", "What TCP refuses, and what only looks odd"},
    Situation{0, "reset", "Who sent that RST?"},
    Situation{0, "more", "More"},
};

constexpr std::array all_cases = {
    Case{"refused", "no-server", "The client connects to a port nobody listens on.", Vantage::both, nullptr,
         cases::refused},
    Case{"no-answer", "no-server", "The client connects to a host that takes every SYN and says nothing (7 s).",
         Vantage::client, nullptr, cases::no_answer},

    Case{"no-local-port", "no-server",
         "The client has one local port, which another connection to the same server uses.", Vantage::client, nullptr,
         cases::no_local_port},
    Case{"port-in-use", "no-server", "Two sockets are bound to one port; both connect to the same server.",
         Vantage::client, nullptr, cases::port_in_use},
    Case{"unreachable", "no-server", "A router on the way refuses the SYN: administratively prohibited.",
         Vantage::client, cases::third_machine_before, cases::unreachable},
    Case{"connect-cancelled", "no-server", "The client closes its socket 0.3 s after a SYN that nobody answers.",
         Vantage::client, nullptr, cases::connect_cancelled},

    Case{"handshake", "three-way", "Connect, one request and its response, close.", Vantage::both, nullptr,
         cases::handshake},
    Case{"stray", "three-way", "A scripted host sends a closed port an ACK, then data, out of nowhere.",
         Vantage::server, nullptr, cases::stray},
    Case{"stray-listener", "three-way", "A scripted host sends a listening port an ACK out of nowhere.",
         Vantage::server, nullptr, cases::stray_listener},

    Case{"kill-clean", "crash", "kill -9 of the server process, which has read everything.", Vantage::both, nullptr,
         cases::kill_clean},
    Case{"kill-unread", "crash", "kill -9 of the server process while data lies unread in its socket.", Vantage::both,
         nullptr, cases::kill_unread},
    Case{"vanish", "crash", "The server's host goes silent and forgets; the client asks on; the host comes back.",
         Vantage::client, nullptr, cases::vanish},

    Case{"close-client", "close", "The client closes first, the server 150 ms later.", Vantage::both, nullptr,
         cases::close_client},
    Case{"close-server", "close", "The server closes first, the client 150 ms later.", Vantage::both, nullptr,
         cases::close_server},
    Case{"close-three", "close", "The client closes first, the server at once after it.", Vantage::both, nullptr,
         cases::close_three},

    Case{"fin-wait2-timeout", "close", "The client closes, the server never does; tcp_fin_timeout is 2 s.",
         Vantage::client, nullptr, cases::fin_wait2_timeout},
    Case{"write-after-peer-closed", "close",
         "The server closes an idle connection; the client sends on it 0.5 s later.", Vantage::client, nullptr,
         cases::write_after_peer_closed},

    Case{"ack-first", "close-together", "The client closes right after connecting; its handshake ACK arrives first.",
         Vantage::server, nullptr, cases::ack_first},
    Case{"fin-first", "close-together", "The same, but the handshake's last ACK is lost and the FIN arrives first.",
         Vantage::server, nullptr, cases::fin_first},
    Case{"simultaneous-close", "close-together", "The client closes; a scripted server's FIN crosses the client's.",
         Vantage::client, nullptr, cases::simultaneous_close},

    Case{"keepalive-answered", "idle", "An idle connection with keep-alive every second, for 3.5 s.", Vantage::both,
         nullptr, cases::keepalive_answered},
    Case{"keepalive-death", "idle", "The same, but nothing reaches the server's host any more.", Vantage::client,
         nullptr, cases::keepalive_death},
    Case{"zero-window", "idle", "The server stops reading until the client cannot send, then reads again.",
         Vantage::both, nullptr, cases::zero_window},
    Case{"keepalive-revived", "idle", "Two keep-alives are lost; the third is answered.", Vantage::client, nullptr,
         cases::keepalive_revived},
    Case{"keepalive-user-timeout", "idle", "Keep-alives are not answered, and TCP_USER_TIMEOUT is 1.5 s.",
         Vantage::client, nullptr, cases::keepalive_user_timeout},
    Case{"probe-timeout", "idle", "A closed window, and then no answer to its probes; TCP_USER_TIMEOUT is 1.5 s.",
         Vantage::client, nullptr, cases::probe_timeout},

    Case{"drop-input", "firewall", "The server's firewall drops one data segment on its way in.", Vantage::server,
         nullptr, cases::drop_input},
    Case{"drop-input-ipv6", "firewall", "The same over IPv6.", Vantage::server, nullptr, cases::drop_input_ipv6},
    Case{"drop-output", "firewall", "The client's firewall drops one data segment on its way out.", Vantage::client,
         nullptr, cases::drop_output},
    Case{"reject-input", "firewall", "The server's firewall refuses a SYN with a RST.", Vantage::server, nullptr,
         cases::reject_input},
    Case{"reject-icmp", "firewall", "The server's firewall refuses a SYN with ICMP port unreachable.", Vantage::client,
         nullptr, cases::reject_icmp},
    Case{"reject-established", "firewall", "The server's firewall refuses data in mid-connection with a RST.",
         Vantage::server, nullptr, cases::reject_established},
    Case{"reject-output", "firewall", "The client's own firewall refuses its data with a RST.", Vantage::client,
         nullptr, cases::reject_output},
    Case{"connect-ignored", "firewall", "The client's firewall drops every SYN-ACK that comes (3 s).", Vantage::client,
         nullptr, cases::connect_ignored},
    Case{"connect-unsent", "firewall", "The client's firewall drops every SYN on its way out (3 s).", Vantage::client,
         nullptr, cases::connect_unsent},
    Case{"connect-unsent-queue", "firewall", "The queue before the client's interface has room for nothing (3 s).",
         Vantage::client, nullptr, cases::connect_unsent_queue},
    Case{"queue-overflow", "firewall", "The client sends faster than its queue drains, and it is short.",
         Vantage::client, nullptr, cases::queue_overflow},

    Case{"accept-overflow", "listener", "The handshake's last ACK finds the accept queue full.", Vantage::server,
         nullptr, cases::accept_overflow},
    Case{"syn-backlog-full", "listener", "A SYN finds the SYN backlog full, and syncookies are off.", Vantage::server,
         nullptr, cases::syn_backlog_full},
    Case{"syncookie", "listener", "The listener answers with a syncookie.", Vantage::server, nullptr, cases::syncookie},
    Case{"slow-accept", "listener", "The server's process accepts 1.5 s late.", Vantage::server, nullptr,
         cases::slow_accept},
    Case{"slow-handshake", "listener", "The first SYN is lost.", Vantage::client, nullptr, cases::slow_handshake},
    Case{"synack-lost", "listener", "The first SYN-ACK is lost.", Vantage::server, nullptr, cases::synack_lost},

    Case{"bad-checksum", "refusal", "A data segment arrives with a wrong checksum.", Vantage::server, nullptr,
         cases::bad_checksum},
    Case{"out-of-window", "refusal", "A data segment arrives from 2 MB ahead.", Vantage::server, nullptr,
         cases::out_of_window},
    Case{"old-timestamp", "refusal", "A data segment arrives with a timestamp of long ago.", Vantage::server, nullptr,
         cases::old_timestamp},
    Case{"old-data", "refusal", "A data segment arrives a second time.", Vantage::server, nullptr, cases::old_data},
    Case{"out-of-order", "refusal", "Two data segments arrive in the wrong order.", Vantage::server, nullptr,
         cases::out_of_order},
    Case{"blind-reset", "refusal", "A RST arrives in the window, but not at its start.", Vantage::server, nullptr,
         cases::blind_reset},

    Case{"reset-orphan", "reset", "The client has closed; the server sends on; the client's TCP answers with a RST.",
         Vantage::client, nullptr, cases::reset_orphan},
    Case{"reset-routed", "reset", "The server closes with SO_LINGER 0, one router away.", Vantage::client,
         cases::third_machine_before, cases::reset_routed},
    Case{"reset-suspected", "reset", "A machine on the path sends the client a RST in the server's name.",
         Vantage::client, cases::third_machine_before, cases::reset_suspected},
    Case{"reset-injected", "reset", "The same, and the server, which knows nothing of it, goes on sending.",
         Vantage::client, cases::third_machine_before, cases::reset_injected},

    Case{"retransmit-timeout", "more", "The server's host goes deaf; the client sends and tcp_retries2 is 3.",
         Vantage::client, nullptr, cases::retransmit_timeout},
    Case{"user-timeout", "more", "The server's host goes deaf; the client sends with TCP_USER_TIMEOUT 2 s.",
         Vantage::client, nullptr, cases::user_timeout},
    Case{"reset-by-peer", "more", "The server closes with SO_LINGER 0.", Vantage::client, nullptr,
         cases::reset_by_peer},
    Case{"reset-by-local", "more", "The client closes with SO_LINGER 0.", Vantage::client, nullptr,
         cases::reset_by_local},
    Case{"close-wait-stuck", "more", "The client closes; the server does not for 3 s.", Vantage::server, nullptr,
         cases::close_wait_stuck},
    Case{"half-close", "more", "The client closes its half; the server answers for another second.", Vantage::server,
         nullptr, cases::half_close},
    Case{"half-close-long", "more", "The client closes its half; the server answers for another 3 s.", Vantage::client,
         nullptr, cases::half_close_long},
    Case{"port-reuse", "more", "The server closes first; the client comes again from the same port.", Vantage::server,
         nullptr, cases::port_reuse},
    Case{"reboot-idle", "more", "The server's host loses its memory; a keep-alive finds out.", Vantage::client, nullptr,
         cases::reboot_idle},
    Case{"late", "more", "A FIN arrives while the client's process keeps the socket locked for 0.2 s.", Vantage::client,
         nullptr, cases::late},
    Case{"two-paths", "more", "Part of the client's data takes a second cable (watch the first: -- -i veth-client).",
         Vantage::client, cases::two_paths_before, cases::two_paths},
    Case{"asymmetric-route", "more",
         "What the client sends goes straight to the server; the answers come through a third machine.",
         Vantage::client, cases::asymmetric_route_before, cases::asymmetric_route},
    Case{"fork-server", "more", "The server accepts and forks; the child answers and closes.", Vantage::server, nullptr,
         cases::fork_server},
    Case{"mapped", "more", "An IPv4 client connects to a dual-stack IPv6 listener.", Vantage::server, nullptr,
         cases::mapped},
    Case{"ipv6", "more", "Connect, request, response, close over IPv6.", Vantage::both, nullptr, cases::ipv6},
    Case{"retransmission-tail", "more", "The last data segment is lost once (the tail-loss probe's case).",
         Vantage::client, nullptr, cases::retransmission_tail},
    Case{"retransmission-fast", "more", "The first of eight data segments is lost once.", Vantage::client, nullptr,
         cases::retransmission_fast},
    Case{"retransmission-rto", "more", "A data segment is lost once, and tail-loss probes are off.", Vantage::client,
         nullptr, cases::retransmission_rto},
    Case{"retransmission-spurious", "more", "The acknowledgement of a data segment is lost, not the segment.",
         Vantage::client, nullptr, cases::retransmission_spurious},
    Case{"path-dead", "more", "An idle connection's path is cut; the client sends and tcp_retries2 is 4.",
         Vantage::client, nullptr, cases::path_dead},
    Case{"path-mtu-black-hole", "more", "Full-size segments are lost without a word; small ones pass.", Vantage::client,
         nullptr, cases::path_mtu_black_hole},
    Case{"delayed-ack-stall", "more", "The client asks in two small writes; the server's kernel delays its ACKs.",
         Vantage::client, nullptr, cases::delayed_ack_stall},
    Case{"delayed-ack-nodelay", "more", "The same with TCP_NODELAY.", Vantage::client, nullptr,
         cases::delayed_ack_nodelay},
    Case{"half-open-synack", "more", "A scripted host sends a SYN and never answers the SYN-ACK (3 s).",
         Vantage::server, nullptr, cases::half_open_synack},
    Case{"accept-queue-full", "more", "Three clients connect to a listener whose queue holds two; it accepts late.",
         Vantage::server, nullptr, cases::accept_queue_full},
    Case{"bulk", "more", "The client sends 64 MiB.", Vantage::both, nullptr, cases::bulk},
    Case{"preexisting", "more", "A connection opened before the tracer starts is used and closed.", Vantage::both,
         cases::preexisting_before, cases::preexisting},
};

}  // namespace

std::span<const Case> catalogue() { return all_cases; }

std::span<const Situation> situations() { return all_situations; }

const Case* find_case(std::string_view name) {
  for (const Case& entry : all_cases) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::vector<const Case*> select_cases(std::string_view word) {
  if (const Case* one = find_case(word)) return {one};
  std::string_view group = word;
  for (const Situation& situation : all_situations) {
    if (situation.number > 0 && word == std::to_string(situation.number)) group = situation.name;
  }
  std::vector<const Case*> selected;
  for (const Case& entry : all_cases) {
    // "retransmission" plays its three kinds.
    const bool variant = entry.name.starts_with(word) && entry.name.substr(word.size()).starts_with("-");
    if (word == "all" || entry.situation == group || variant) selected.push_back(&entry);
  }
  return selected;
}

const char* to_string(Vantage vantage) {
  switch (vantage) {
    case Vantage::client:
      return "client";
    case Vantage::server:
      return "server";
    case Vantage::both:
      break;
  }
  return "both";
}

}  // namespace tcpwitness::lab

// SPDX-License-Identifier: Apache-2.0
//
// See expectations.hpp.

#include "live/expectations.hpp"

#include "live/abilities.hpp"

namespace tcpwitness::live {
namespace {

const ExpectedFinding time_wait{"time-wait", "certain"};
const ExpectedFinding reset_by_the_peer{"reset-origin"};

// Of a segment that never left, where the kernel reports its retransmissions.
std::vector<ExpectedFinding> with_failed_retransmission(std::vector<ExpectedFinding> reported) {
  if (reports_failed_retransmissions()) reported.push_back({"retransmission", "certain"});
  return reported;
}

}  // namespace

const std::vector<Expectation>& expectations() {
  static const std::vector<Expectation> all = {
      {"unreachable", {"unreachable"}, {""}},
      {"connect-cancelled", {"connect-cancelled"}, {""}},
      {"write-after-peer-closed",
       {"reset-by-peer",
        {{"write-after-peer-closed", "certain", {"sent its FIN first", "lab-client", "18 bytes"}}, reset_by_the_peer}},
       {"reset-by-local", {{"reset-origin", "certain"}}}},
      {"close-wait-stuck",
       {"completed", {{"peer-not-closing", "certain", {"lab-client", "has not closed"}}, time_wait}},
       {"completed"},
       {"--stuck-after", "2"}},
      {"half-close-long", {"completed", {time_wait}}, {"completed"}, {"--stuck-after", "2"}},

      {"keepalive-revived",
       {"completed", {{"keepalive", "certain", {"3 keep-alive probes sent, 1 answered"}}, time_wait}},
       {"completed", {{"keepalive"}, {"rx-dropped", "certain", {"2 segments", "lab-server", "NETFILTER_DROP"}}}}},
      {"keepalive-user-timeout",
       {"keepalive-timeout", {{"keepalive", "certain"}, {"reset-origin", "certain", {"KEEPALIVE_TIMEOUT"}}}},
       {"open", {{"keepalive"}, {"rx-dropped", "certain", {"lab-server"}}}}},
      {"probe-timeout",
       {"user-timeout", {{"zero-window", "certain", {"never opened again"}}}},
       {"open", {{"zero-window", "certain", {"lab-server"}}, {"rx-dropped", "certain", {"lab-server"}}}}},

      {"drop-input",
       {"completed", {{"retransmission", "certain", {"1 tail-loss probe"}}, time_wait}},
       {"completed",
        {{"rx-dropped", "certain", {"1 segment with 29 bytes", "lab-server", "NETFILTER_DROP"}}, {"retransmission"}}}},
      {"drop-input-ipv6",
       {"completed", {{"retransmission", "certain", {"1 tail-loss probe"}}, time_wait}},
       {"completed",
        {{"rx-dropped", "certain", {"1 segment with 29 bytes", "lab-server", "NETFILTER_DROP"}}, {"retransmission"}}}},
      {"drop-output",
       {"completed", {{"tx-not-sent", "certain", {"1 segment with 25 bytes", "NETFILTER_DROP"}}, time_wait}},
       {"completed"}},
      {"reject-input",
       {"refused", {reset_by_the_peer}},
       {"refused", {{"reset-origin", "certain", {"firewall"}}, {"rx-dropped", "certain", {"NETFILTER_DROP"}}}}},
      {"reject-icmp", {"refused"}, {"refused", {{"rx-dropped", "certain", {"NETFILTER_DROP"}}}}},
      {"reject-established",
       {"reset-by-peer", {reset_by_the_peer}},
       {"open",
        {{"reset-origin", "certain", {"firewall"}}, {"rx-dropped", "certain", {"lab-server", "NETFILTER_DROP"}}}}},
      {"reject-output",
       {"reset-by-local",
        {{"reset-origin", "certain", {"firewall"}}, {"tx-not-sent", "certain", {"10 bytes", "NETFILTER_DROP"}}}},
       {"open"}},
      {"connect-ignored",
       {"connect-ignored", {{"retransmission", "certain"}, {"rx-dropped", "certain", {"lab-client"}}}},
       {"open", {{"retransmission", "certain", {"SYN-ACK"}}}}},
      {"connect-unsent",
       {"connect-unsent", with_failed_retransmission({{"tx-not-sent", "certain", {"NETFILTER_DROP"}}})},
       {""}},
      {"connect-unsent-queue",
       {"connect-unsent", with_failed_retransmission({{"tx-not-sent", "certain", {"QDISC_DROP"}}})},
       {""}},
      {"queue-overflow",
       {"completed", {{"retransmission"}, {"tx-not-sent", "certain", {"QDISC_DROP"}}, time_wait}},
       {"completed", {{"retransmission"}}}},

      {"syncookie", {"completed", {time_wait}}, {"completed", {{"syncookie", "certain", {"lab-server"}}}}},
      {"slow-accept", {"completed", {time_wait}}, {"completed", {{"slow-accept", "", {"lab-server"}}}}},
      {"slow-handshake",
       {"completed",
        {{"slow-handshake", "certain", {"SYN-ACK", "SYN was sent 2 times"}}, {"retransmission", "certain"}, time_wait}},
       {"completed", {{"slow-handshake", "certain"}, {"rx-dropped", "certain", {"lab-server"}}}}},
      {"synack-lost",
       {"completed",
        {{"slow-handshake", "likely"}, {"retransmission", "certain"}, {"rx-dropped", "certain"}, time_wait}},
       {"completed", {{"slow-handshake", "certain"}, {"retransmission", "certain", {"SYN-ACK"}}}}},

      {"bad-checksum",
       {""},
       {"completed", {{"bad-checksum", "certain", {"1 segment with 8 bytes", "TCP_CSUM"}}, {"retransmission"}}}},
      {"out-of-window", {""}, {"completed", {{"out-of-window", "certain", {"15 bytes", "TCP_INVALID"}}}}},
      {"old-timestamp",
       {""},
       {"completed", {{"old-timestamp", "certain", {"14 bytes", "TCP_RFC7323_PAWS"}}, {"retransmission"}}}},
      {"old-data", {""}, {"completed", {{"retransmission", "certain", {"spurious", "TCP_OLD_DATA"}}}}},
      {"out-of-order", {""}, {"completed"}},
      {"blind-reset", {""}, {"completed"}},

      {"reset-orphan",
       {"reset-by-local", {{"reset-origin", reports_every_reset() ? "certain" : "likely"}}},
       {"reset-by-peer", {reset_by_the_peer, {"write-after-peer-closed"}}}},
      {"reset-routed",
       {"reset-by-peer", {reset_by_the_peer}},
       {"reset-by-local", {{"reset-origin", "certain", {"lab-server"}}}}},
      {"reset-suspected", {"reset-by-peer", {{"reset-origin", "likely", {"TTL 101", "63"}}}}, {"open"}},
      {"reset-injected",
       {"reset-by-outsider", {{"reset-origin", "certain", {"TTL 101", "63"}}}},
       {"reset-by-peer", {reset_by_the_peer}}},

      {"half-close", {"completed", {time_wait}}, {"completed"}},
      {"reboot-idle",
       {"reset-by-peer", {{"keepalive", "certain", {"1 of 3 unanswered"}}, reset_by_the_peer, {"half-open"}}},
       {"unknown"}},
      {"late", {"completed", {{"late", "", {"FIN"}}}}, {"completed", {time_wait}}},
      {"two-paths",
       {"completed", {{"bytes-disagree", "", {"1017 bytes", "only 17"}}, time_wait}},
       {"completed"},
       {"-i", lab::client_link},
       "watched in part"},
      {"two-paths", {"completed", {time_wait}}, {"completed"}, {}, "watched in full"},
      {"retransmission-spurious",
       {"completed",
        {{"retransmission", "certain"}, {"retransmission", "likely", {"the peer got 1 twice"}}, time_wait}},
       {"completed", {{"retransmission", "certain", {"TCP_OLD_DATA"}}, {"tx-not-sent", "certain"}}}},
  };
  return all;
}

}  // namespace tcpwitness::live

// SPDX-License-Identifier: Apache-2.0
// correlation_parts.hpp: the parts of a Correlator one by one, with rules that find nothing.
#pragma once

#include "correlate/crowds.hpp"
#include "correlate/half_closed.hpp"
#include "correlate/segment_lookup.hpp"
#include "correlate/socket_list.hpp"
#include "correlate/state_events.hpp"
#include "unit/no_rules.hpp"

namespace tcpwitness::testing {

struct Parts : private ForwardedConnections::Host {
  explicit Parts(CorrelatorSettings settings = {}, const Rules& rules = no_rules())
      : in(std::move(settings), names, rules) {}

  static const Rules& no_rules() {
    static const NoRules none;
    return none;
  }

  Names names;
  Correlation in;
  OpenFindings open_findings{in.settings, in.rules, nullptr,     in.selection,
                             in.losses,   in.table, in.contexts, in.emitter};
  Strays strays;
  ForwardedConnections forwarded{*this,      in.settings, in.losses,  in.table, in.timeline,
                                 in.emitter, strays,      in.summary, in.now};
  IcmpEvents icmp{in, forwarded, strays};
  Lives lives{in, icmp};
  Crowds crowds{in, forwarded};
  LifeReports life_reports{in, forwarded, crowds, open_findings};
  PortEvents ports{in};
  HalfClosed half_closed{in, life_reports};
  StateEvents states{in, lives, life_reports, ports};
  TranslationEvents translations{in, lives, forwarded, strays};
  SegmentLookup lookup{in, lives, crowds, forwarded, translations};
  SocketList sockets{in, lives, life_reports, forwarded, half_closed};
  Reports reports;

  static AddressPair tuple(std::uint16_t remote_port = 40000) {
    AddressPair pair{};
    pair.local_port = 80;
    pair.remote_port = remote_port;
    pair.local_addr[0] = 1;
    pair.remote_addr[0] = 2;
    return pair;
  }

 private:
  void forwarded_segment(Slot /*slot*/, const Event& /*e*/, const Segment& /*g*/, bool /*out*/,
                         bool /*shown*/) override {}
  void forwarded_over(Slot /*slot*/) override {}
};

}  // namespace tcpwitness::testing

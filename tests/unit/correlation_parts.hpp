// SPDX-License-Identifier: Apache-2.0
// correlation_parts.hpp: the parts of a Correlator one by one, with rules that find nothing.
#pragma once

#include <variant>

#include "correlate/crowds.hpp"
#include "correlate/digest_events.hpp"
#include "correlate/drop_events.hpp"
#include "correlate/half_closed.hpp"
#include "correlate/reset_events.hpp"
#include "correlate/segment_lookup.hpp"
#include "correlate/socket_list.hpp"
#include "correlate/state_events.hpp"
#include "correlate/unmatched.hpp"
#include "unit/events.hpp"
#include "unit/no_rules.hpp"
#include "unit/run.hpp"

namespace tcpwitness::testing {

struct Parts : private ForwardedConnections::Host {
  explicit Parts(CorrelatorSettings settings = {}, const Rules& rules = no_rules())
      : in(std::move(settings), kernel_names(), rules) {}

  static const Rules& no_rules() {
    static const NoRules none;
    return none;
  }

  Correlation in;
  OpenFindings open_findings{in.settings, in.rules, nullptr,     in.selection,
                             in.losses,   in.table, in.contexts, in.emitter};
  Unmatched unmatched{in.settings, in.names, in.rules, in.selection, in.losses, in.table, in.emitter};
  Strays& strays = unmatched.strays();
  ForwardedConnections forwarded{*this,      in.settings, in.losses,  in.table, in.timeline,
                                 in.emitter, strays,      in.summary, in.now};
  IcmpEvents icmp{in, forwarded, strays};
  tcpwitness::Lives lives{in, icmp};
  Crowds crowds{in, forwarded};
  LifeReports life_reports{in, forwarded, crowds, open_findings};
  PortEvents ports{in};
  HalfClosed half_closed{in, life_reports};
  StateEvents states{in, lives, life_reports, ports};
  TranslationEvents translations{in, lives, forwarded, strays};
  SegmentLookup lookup{in, lives, crowds, forwarded, translations};
  SocketList sockets{in, lives, life_reports, forwarded, half_closed};
  DigestEvents digests{in, lives, crowds, icmp, forwarded};
  ResetEvents resets{in, strays};
  DropEvents drops{in, lives, states, forwarded, unmatched};
  Reports reports;

  // The part takes the newest event.
  template <typename Part>
  void feed(Part& part, const Stream& stream) {
    const Event& e = stream.events.back();
    in.now = e.ts_ns;
    const Emitter::Call call(in.emitter, reports);
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { part.take(e, body); }) part.take(e, body);
        },
        e.body);
  }
  // What has left so far, and what waits in the timeline.
  template <typename Body>
  std::vector<Body> entries_of() {
    {
      const Emitter::Call call(in.emitter, reports);
      in.emitter.flush();
    }
    std::vector<Body> found;
    for (const Report& report : reports) {
      const auto* entry = std::get_if<Entry>(&report);
      if (entry == nullptr) continue;
      if (const auto* body = std::get_if<Body>(&entry->body)) found.push_back(*body);
    }
    return found;
  }
  // The connection of a side's socket; nullptr: there is none.
  [[nodiscard]] Connection* of(std::uint64_t cookie) {
    const Slot slot = in.table.find_cookie(cookie);
    return slot == no_slot ? nullptr : &in.table.at(slot);
  }
  [[nodiscard]] Wait wait_of(std::uint64_t cookie) const { return in.table.wait_of(in.table.find_cookie(cookie)); }

  static AddressPair tuple(std::uint16_t remote_port = 40000) {
    AddressPair pair{};
    pair.local_port = 80;
    pair.remote_port = remote_port;
    pair.local_addr[0] = 1;
    pair.remote_addr[0] = 2;
    return pair;
  }

  // A segment that no socket wanted, for another local port than the side has.
  void add_stray(const Stream& stream, const Side& side, std::uint16_t local_port, std::uint32_t seq,
                 std::uint8_t flags) {
    Segment g{};
    g.seq = seq;
    g.flags = flags;
    Flow flow = to_flow(side.tuple());
    flow.local.port = local_port;
    EXPECT_FALSE(strays.add(Event{40, stream.now, {}}, g, flow));
  }

 private:
  void forwarded_segment(Slot /*slot*/, const Event& /*e*/, const Segment& /*g*/, bool /*out*/,
                         bool /*shown*/) override {}
  void forwarded_over(Slot /*slot*/) override {}
};

}  // namespace tcpwitness::testing

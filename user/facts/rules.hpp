// SPDX-License-Identifier: Apache-2.0
// rules.hpp: what correlation asks for a judgement: the one way from facts to findings.
//
// Correlation decides when a connection is to be judged, and includes no rule. judge/ has the rules, and includes no
// correlation. Only pipeline/ includes both.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "facts/connection.hpp"
#include "facts/crowd.hpp"
#include "facts/measures.hpp"
#include "facts/stray.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// What rules must know beside the connection.
struct RuleContext {
  const Names& names;
  bool has_kernel = true;       // the kernel witness is attached
  bool has_wire = true;         // the wire witness is attached
  bool explain = false;         // write the closing sentence
  bool finished = false;        // the run is over
  bool every_interface = true;  // what passes through this machine shows twice: none was left out (-i)
  std::int64_t close_wait_stuck_ns = 0;
  std::int64_t slow_handshake_ns = 0;
  std::int64_t slow_accept_ns = 0;
  std::int64_t late_ns = 0;
  TimeNs now = 0;
  const PayloadTimes* payload = nullptr;             // live, where every segment is seen
  const Measures* measures = nullptr;                // of a comparison
  const Connection* peer = nullptr;                  // the other end, where this run follows it too; see other_end()
  const ConversationTotals* conversation = nullptr;  // reading a capture: all that it holds of the connection
};

class Rules {
 public:
  virtual ~Rules() = default;

  // Of a connection that is over, or as if the run ended now.
  [[nodiscard]] virtual Life life(const Connection& c, const RuleContext& context) const = 0;
  [[nodiscard]] virtual Outcome outcome(const Connection& c, const RuleContext& context) const = 0;
  // Of one that goes on.
  [[nodiscard]] virtual std::vector<Finding> findings(const Connection& c, const RuleContext& context) const = 0;
  [[nodiscard]] virtual std::optional<Finding> close_wait_stuck(const Connection& c,
                                                                const RuleContext& context) const = 0;
  [[nodiscard]] virtual std::optional<Finding> peer_not_closing(const Connection& c,
                                                                const RuleContext& context) const = 0;

  // Of no connection. lost: events may be missing that would show another thing.
  [[nodiscard]] virtual Finding stray(const Stray& stray, const Names& names, bool lost) const = 0;
  [[nodiscard]] virtual Finding dropped_syn(const DroppedSyn& syn, const Names& names, bool lost) const = 0;
  [[nodiscard]] virtual std::optional<Finding> attempts(const Attempts& attempts, const Names& names,
                                                        bool lost) const = 0;
  // Those of a second that were not reported one by one; refused: by the server, through this machine.
  [[nodiscard]] virtual Finding more_strays(const Crowd& more, bool lost) const = 0;
  [[nodiscard]] virtual Finding more_dropped_syns(const MoreDroppedSyns& more, const Names& names, bool lost) const = 0;
  [[nodiscard]] virtual Finding more_refused(const Crowd& more, bool lost) const = 0;
};

}  // namespace tcpwitness

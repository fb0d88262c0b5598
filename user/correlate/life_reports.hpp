// SPDX-License-Identifier: Apache-2.0
// life_reports.hpp: the reports of connections: at their end, and while they are open as if the run ended now.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "correlate/correlation.hpp"
#include "correlate/crowds.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/open_findings.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

class LifeReports {
 public:
  // So many are remembered behind their report for as long as TIME_WAIT lasts.
  static constexpr std::size_t time_wait_limit = 16'384;

  // All are kept by reference.
  LifeReports(Correlation& in, ForwardedConnections& forwarded, Crowds& crowds, const OpenFindings& open_findings)
      : in_(in),
        settings_(in.settings),
        rules_(in.rules),
        table_(in.table),
        losses_(in.losses),
        selection_(in.selection),
        timeline_(in.timeline),
        emitter_(in.emitter),
        contexts_(in.contexts),
        summary_(in.summary),
        now_(in.now),
        forwarded_(forwarded),
        crowds_(crowds),
        open_findings_(open_findings) {}

  // Over: judged and reported; what still comes of it for a moment is known to be late. end: of a capture.
  void conclude(Slot slot, const ConversationEnd* end = nullptr);
  // Its stragglers had their time: over, unless a report of the kernel must still come.
  void settled(Slot slot);
  void so_far(TimeNs now, const std::function<void(Life)>& take);
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now);
  // Of those that were reported since the last call, and whose flow nothing else takes away.
  [[nodiscard]] std::vector<FlowToDelete> flows_to_delete() { return std::exchange(flows_to_delete_, {}); }

 private:
  Outcome report(Slot slot, RuleContext known);
  [[nodiscard]] bool knows_late_segments(const Connection& c) const;
  [[nodiscard]] bool awaits_report(const Connection& c) const;
  [[nodiscard]] static bool left_its_flow(const Connection& c);
  void delete_flow_of(const Connection& c);

  Correlation& in_;
  const CorrelatorSettings& settings_;
  const Rules& rules_;
  Table& table_;
  const Losses& losses_;
  const Selection& selection_;
  Timeline& timeline_;
  Emitter& emitter_;
  Contexts& contexts_;
  Summary& summary_;
  const TimeNs& now_;
  ForwardedConnections& forwarded_;
  Crowds& crowds_;
  const OpenFindings& open_findings_;

  FirstOfEachSecond half_open_{100};
  std::vector<FlowToDelete> flows_to_delete_;
};

}  // namespace tcpwitness

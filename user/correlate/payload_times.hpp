// SPDX-License-Identifier: Apache-2.0
// payload_times.hpp: the flow map's times of payload, as times of the run.
#pragma once

#include <optional>

#include "tcpwitness/event.hpp"
#include "tcpwitness/phases.hpp"

namespace tcpwitness {

// As they were read at the event; empty: there was no payload.
[[nodiscard]] std::optional<PayloadTimes> payload_times(const Event& e, const RecordHeader& header,
                                                        const FlowTimes& times);

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// checkup.hpp: doctor: what was found out about this machine, to be read or as one JSON object. Pure.
#pragma once

#include "sink/sinks.hpp"
#include "values/checkup.hpp"

namespace tcpwitness {

void write_checkup_text(Output& output, const TextStyle& style, const Checkup& checkup);
void write_checkup_json(Output& output, const Checkup& checkup);

}  // namespace tcpwitness

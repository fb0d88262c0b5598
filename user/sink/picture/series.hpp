// SPDX-License-Identifier: Apache-2.0
// series.hpp: what is drawn over time of one connection, as JSON in columns.
#pragma once

#include "sink/json_writer.hpp"
#include "sink/picture/connection.hpp"

namespace tcpwitness::picture {

// "segments": {"id": [...], "t_us": [...], ...}, and "kernel": what the control block was at its transitions.
void put_series(JsonWriter& json, const Connection& connection);

}  // namespace tcpwitness::picture

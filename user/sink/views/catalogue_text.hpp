// SPDX-License-Identifier: Apache-2.0
// catalogue_text.hpp: doctor --findings: the catalogue of outcomes and findings, to be read or as NDJSON. Pure.
#pragma once

#include <string_view>

#include "sink/sinks.hpp"

namespace tcpwitness {

// only: the name of one entry; empty: all of them.
void write_catalogue_text(Output& output, const TextStyle& style, std::string_view only);
void write_catalogue_json(Output& output, std::string_view only);

}  // namespace tcpwitness

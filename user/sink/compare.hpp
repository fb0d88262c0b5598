// SPDX-License-Identifier: Apache-2.0
// compare.hpp: the kernel's counts beside the wire's, for each connection and added up.
//
// Text has the sum, printed when the run ends. JSON and CSV have a line for each connection when it ends; JSON the sum
// behind them.
#pragma once

#include <cstdint>
#include <memory>

#include "sink/compared.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {

void write_compare_text(Output& output, const Compared& compared, std::int64_t watched_ns, const TextStyle& style);
void write_compare_json(Output& output, const Life& life);
void write_compare_json(Output& output, const Compared& compared, std::int64_t watched_ns);
void write_compare_csv_header(Output& output);
void write_compare_csv(Output& output, const Life& life);

enum class CompareForm : std::uint8_t { text, json, csv };

// lines: gets Ready, gaps and the final Summary. Null: nothing does. top: connections that differ, in the text.
[[nodiscard]] std::unique_ptr<Sink> make_compare(Output& output, CompareForm form, std::size_t top,
                                                 const TextStyle& style, std::unique_ptr<Sink> lines);

}  // namespace tcpwitness

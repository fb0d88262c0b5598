// SPDX-License-Identifier: Apache-2.0
// compare.hpp: the kernel's counts beside the wire's, for each connection and added up.
//
// Text has the sum, printed when the run ends. JSON and CSV have a line for each connection when it ends; JSON the sum
// behind them. With --every the same comes again and again, as it is by then: with what goes on (Interim).
#pragma once

#include <cstdint>
#include <memory>

#include "sink/sinks.hpp"
#include "sink/views/compared.hpp"

namespace tcpwitness {

// So long since the start. at_ns: the run goes on, and this is when; 0: it is over.
struct Watched {
  std::int64_t ns = 0;
  TimeNs at_ns = 0;
};

void write_compare_text(Output& output, const Compared& compared, const Watched& watched, const TextStyle& style);
// interim: the connection goes on.
void write_compare_json(Output& output, const Life& life, bool interim);
void write_compare_json(Output& output, const Compared& compared, const Watched& watched);
void write_compare_csv_header(Output& output);
void write_compare_csv(Output& output, const Life& life);

enum class CompareForm : std::uint8_t { text, json, csv };

// lines: gets Ready, gaps and the final Summary. Null: nothing does. top: connections that differ, in the text. again:
// Interims will come, and a terminal shows the newest alone.
[[nodiscard]] std::unique_ptr<Sink> make_compare(Output& output, CompareForm form, std::size_t top,
                                                 const TextStyle& style, std::unique_ptr<Sink> lines,
                                                 bool again = false);

}  // namespace tcpwitness

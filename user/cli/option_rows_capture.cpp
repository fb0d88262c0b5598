// SPDX-License-Identifier: Apache-2.0
// option_rows_capture.cpp: how events come in; and what every command has.
#include <unistd.h>

#include "cli/option_rows.hpp"

namespace tcpwitness::cli::rows {

std::vector<Option> capture() {
  return {
      {"--wire",
       Kind::value,
       [](std::string_view text, Options& o) { return put(wire(text), o.wire); },
       {{live, Group::capture,
         "auto, xdp, xdp-native, xdp-generic, tc or none (default: auto, which slows no interface)", "MODE", "auto",
         wire_words}},
       Completes::words},
      {"--kernel",
       Kind::value,
       [](std::string_view text, Options& o) {
         const Value<std::size_t> index = one_of(text, on_off_words());
         o.kernel = index && *index == 0;
         return index ? "" : index.error();
       },
       {{live, Group::capture, "attach to the kernel's tracepoints (default: on)", "on|off", "on", on_off_words}},
       Completes::words},
      {"--forwarded",
       Kind::flag,
       yes<&Options::forwarded>,
       {{live, Group::capture,
         "also connections that this machine forwards (router, bridge, NAT gateway): two hops, packets only"}}},
      {"--ring-size",
       Kind::value,
       [](std::string_view text, Options& o) {
         return put(ring_size(text, static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))), o.ring_bytes);
       },
       {{live, Group::capture, "of the ring buffer: a power of two, 64K to 1G (default: 8M)", "SIZE", "8M"}}},
      {"--sample",
       Kind::value,
       [](std::string_view text, Options& o) {
         if (text == "off") return put(Value<std::chrono::nanoseconds>(std::chrono::nanoseconds(0)), o.sample);
         return put(short_time(text), o.sample);
       },
       {{{record, picture},
         Group::capture,
         "how often to sample open connections (cwnd, RTT and more, as ss -i): 50ms, 1s or off (default: 100ms; never "
         "more than 1 % of a core)",
         "TIME"},
        {{trace, explain},
         Group::capture,
         "with '-o json': sample open connections (cwnd, RTT and more, as ss -i) this often: 100ms, 1s (default: off)",
         "TIME"}},
       Completes::nothing,
       "is for the events of a connection: 'tcpwitness trace', 'record', 'picture'"},
      {"--flows",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, flows_min, flows_max), o.flows); },
       {{live, Group::capture, "flow-map capacity (default: 65536)", "N", "65536"}}},
  };
}

std::vector<Option> general() {
  return {
      {"--config",
       Kind::value,
       nullptr,
       {{all, Group::general,
         "read options from a file: 'port = 443', 'problems = true', a line each, named as here; the command line "
         "takes "
         "precedence",
         "FILE"}},
       Completes::file},
      {"-h,--help", Kind::flag, nullptr, {{all, Group::general, "this page"}}},
      {"--version", Kind::flag, nullptr, {{all, Group::general, "the version"}}},
  };
}

}  // namespace tcpwitness::cli::rows

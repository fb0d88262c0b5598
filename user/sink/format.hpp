// SPDX-License-Identifier: Apache-2.0
// format.hpp: values as short text: addresses, bytes, times, flags, errors, names of processes.
//
// Pure functions that append; shared by the text sinks, and by JSON where the text is the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sink/cells.hpp"
#include "sink/output.hpp"
#include "tcpwitness/address.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/event.hpp"
#include "values/address_text.hpp"
#include "values/duration.hpp"
#include "values/short_text.hpp"
#include "values/words.hpp"

namespace tcpwitness {

void append_ip(Buffer& out, const Address& address);
// What NAT has changed: "remote 10.9.0.2:80".
[[nodiscard]] std::string nat_text(const Flow& socket, const Flow& wire);

// "0", "999", "1.5K", "64K", "3.2M", "12G": at most five characters, 1024-based.
[[nodiscard]] ShortText short_bytes(std::uint64_t bytes);

// In at most six characters, for a table: "21us", "1.20ms", "250ms", "3.02s", "12m29s", "2h04m", "3d04h". Negative is
// 0.
[[nodiscard]] ShortText short_duration(std::int64_t ns);
// Seconds to the microsecond, in groups of three: "0.000 041", "63.123 456"; from 100 s to the millisecond: "7200.004".
[[nodiscard]] std::string grouped_seconds(std::int64_t ns);
// Thousands apart: "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

// "1,234 events lost on CPU 1 within 20.1 ms".
[[nodiscard]] std::string gap_in_words(const Gap& gap);

// Local wall clock of a CLOCK_REALTIME time: "14:04:05", "14:04:05.120311".
[[nodiscard]] std::string clock_seconds(std::int64_t ts_ns);
[[nodiscard]] std::string clock_micros(std::int64_t ts_ns);

// "2025-10-09T08:53:20.120311000Z": for machines.
void append_utc(Buffer& out, std::int64_t ts_ns);
// Local date and clock: "2025-10-09 08:53:20". Valid until the next call in this thread.
[[nodiscard]] const std::string& date_seconds(std::int64_t ts_ns);
[[nodiscard]] std::string date_micros(std::int64_t ts_ns);

// TCP flags in header order, low bit first, as Wireshark does: "SYN,ACK"; "" for none. Static storage.
[[nodiscard]] std::string_view flags_text(std::uint8_t flags);

// "Connection timed out".
[[nodiscard]] std::string errno_words(int error);

// Any bytes made harmless for a terminal: control and invalid bytes (and, without utf8, all that is not
// ASCII) become '?'.
[[nodiscard]] std::string printable(std::string_view text, bool utf8);
// printable() leaves it as it is.
[[nodiscard]] bool is_printable(std::string_view text, bool utf8);
// The same, and it has a column for each byte.
[[nodiscard]] bool is_printable_ascii(std::string_view text);

// "curl[4242]"; "?" where the process is not known.
[[nodiscard]] std::string process_text(const Process& process, bool utf8);

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// sink_format.cpp: short texts at the edges of their ranges, where units and digits change.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <random>
#include <string>

#include "golden/reports.hpp"
#include "sink/format.hpp"
#include "unit/events.hpp"
#include "values/digits.hpp"

namespace tcpwitness {
namespace {

using testing::ms;
using testing::s;
using testing::us;

TEST(Format, NumbersHaveAllTheirDigits) {
  const auto written = [](std::uint64_t number) {
    std::array<char, most_digits> at{};
    char* const end = put_number(at.data(), number);
    EXPECT_EQ(digits_in(number), static_cast<std::size_t>(end - at.data())) << number;
    return std::string(at.data(), digits_in(number));
  };
  for (std::uint64_t number = 0; number < 2'000; ++number) EXPECT_EQ(written(number), std::to_string(number));
  for (std::uint64_t power = 10; power < std::numeric_limits<std::uint64_t>::max() / 10; power *= 10) {
    for (const std::uint64_t number : {power - 1, power, power + 1}) EXPECT_EQ(written(number), std::to_string(number));
  }
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(written(most), "18446744073709551615");
  EXPECT_EQ(ShortText().add(std::string(ShortText::limit - 2, 'x')).add(most).view().substr(ShortText::limit - 2),
            "18");
}

TEST(Format, PrintableAsciiIsKnownAtEachPlaceOfAText) {
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_TRUE(is_printable_ascii(std::string(size, ' ')));
    EXPECT_TRUE(is_printable_ascii(std::string(size, '~')));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char other : {'\0', '\x1f', '\x7f', '\x80', '\xff'}) {
        std::string text(size, 'a');
        text[at] = other;
        EXPECT_FALSE(is_printable_ascii(text)) << size << ' ' << at;
      }
    }
  }
}

TEST(Format, BytesHaveAtMostFiveCharacters) {
  EXPECT_EQ(short_bytes(0), "0");
  EXPECT_EQ(short_bytes(1023), "1023");
  EXPECT_EQ(short_bytes(1024), "1.0K");
  EXPECT_EQ(short_bytes(std::uint64_t{1024} * 10), "10K");
  EXPECT_EQ(short_bytes(std::uint64_t{1024} * 1023), "1023K");
  EXPECT_EQ(short_bytes(std::uint64_t{1024} * 1024 - 1), "1.0M");
  EXPECT_EQ(short_bytes(std::uint64_t{3} << 30U), "3.0G");
  for (std::uint64_t bytes = 1; bytes < std::uint64_t{1} << 62U; bytes += bytes / 8 + 1) {
    EXPECT_LE(short_bytes(bytes).size(), 5U) << bytes;
  }
  EXPECT_EQ(short_bytes(std::numeric_limits<std::uint64_t>::max()), "16E");
}

TEST(Format, BytesAreRoundedAsTheStandardFormattingRoundsThem) {
  std::mt19937_64 random(5);
  const auto expected = [](std::uint64_t bytes) {
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= (unit == 0 ? 1024.0 : 1023.5) && unit < 6; ++unit) value /= 1024.0;
    return unit == 0 ? fmt::format("{}", bytes)
                     : fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, "BKMGTPE"[unit]);
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t bytes = random() >> (11 + random() % 52);  // doubles are exact up to 2^53
    EXPECT_EQ(short_bytes(bytes), expected(bytes)) << bytes;
  }
  for (std::uint64_t halves = 1; halves < 4'096; ++halves) {  // in the middle between two, and beside it
    for (const std::uint64_t bytes : {halves * 512 - 1, halves * 512, halves * 512 + 1, (halves << 19U) / 10 * 5})
      EXPECT_EQ(short_bytes(bytes), expected(bytes)) << bytes;
  }
}

TEST(Format, BytesInWords) {
  EXPECT_EQ(bytes_in_words(1), "1 byte");
  EXPECT_EQ(bytes_in_words(0), "0 bytes");
  EXPECT_EQ(bytes_in_words(1536), "1.5 KiB");
}

TEST(Format, DurationsOfATableKeepThreeDigitsThatMatter) {
  EXPECT_EQ(short_duration(-5), "0us");
  EXPECT_EQ(short_duration(999'400), "999us");
  EXPECT_EQ(short_duration(999'600), "1.00ms");
  EXPECT_EQ(short_duration(9'994 * us), "9.99ms");
  EXPECT_EQ(short_duration(9'996 * us), "10.0ms");
  EXPECT_EQ(short_duration(99'940 * us), "99.9ms");
  EXPECT_EQ(short_duration(99'960 * us), "100ms");
  EXPECT_EQ(short_duration(999'600 * us), "1.00s");
  EXPECT_EQ(short_duration(99'960 * ms), "1m40s");
  EXPECT_EQ(short_duration(749'399 * ms), "12m29s");
  EXPECT_EQ(short_duration(3600 * s), "1h00m");
  EXPECT_EQ(short_duration(86'400 * s), "1d00h");
  for (std::int64_t ns = 1; ns < 77'760'000 * s; ns += ns / 7 + 1) EXPECT_LE(short_duration(ns).size(), 7U) << ns;
}

TEST(Format, DurationsChooseTheirUnitAfterRounding) {
  EXPECT_EQ(duration_in_words(-1), "0 s");
  EXPECT_EQ(duration_in_words(999), "999 ns");
  EXPECT_EQ(duration_in_words(21 * us), "21 us");
  EXPECT_EQ(duration_in_words(999'600), "1.00 ms");
  EXPECT_EQ(duration_in_words(20 * ms), "20 ms");
  EXPECT_EQ(duration_in_words(999'600 * us), "1.00 s");
  EXPECT_EQ(duration_in_words(20 * ms + 40 * us), "20.0 ms");
  EXPECT_EQ(duration_in_words(7'151 * ms), "7.15 s");
  EXPECT_EQ(duration_in_words(63 * s), "63 s");
  EXPECT_EQ(duration_in_words(120 * s), "2 min");
  EXPECT_EQ(duration_in_words(125 * s), "2 min 5 s");
  EXPECT_EQ(duration_in_words(7200 * s), "2 h");
  EXPECT_EQ(duration_in_words(7440 * s), "2 h 4 min");
  EXPECT_EQ(duration_in_words(360'000 * s), "4 d 4 h");
}

TEST(Format, SecondsAreGroupedByThree) {
  EXPECT_EQ(grouped_seconds(-7), "0.000 000");
  EXPECT_EQ(grouped_seconds(41 * us), "0.000 041");
  EXPECT_EQ(grouped_seconds(63 * s + 123'456 * us), "63.123 456");
  EXPECT_EQ(grouped_seconds(7200 * s + 4 * ms), "7200.004");
}

TEST(Format, NumbersAreGroupedByThree) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Format, ClockIsLocal) {
  ::setenv("TZ", "XXX-02:30", 1);
  ::tzset();
  EXPECT_EQ(clock_seconds(golden::midnight), "11:23:20");
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  EXPECT_EQ(clock_micros(golden::midnight + 42 * us), "08:53:20.000042");
}

TEST(Format, FlagsAreInWiresharksOrder) {
  EXPECT_EQ(flags_text(0), "");
  EXPECT_EQ(flags_text(tcp_flag::syn | tcp_flag::ack), "SYN,ACK");
  EXPECT_EQ(flags_text(tcp_flag::fin | tcp_flag::psh | tcp_flag::ack), "FIN,PSH,ACK");
  EXPECT_EQ(flags_text(0xff), "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR");
}

TEST(Format, EndpointsAreReadable) {
  EXPECT_EQ(endpoint_text({golden::ip("192.0.2.1"), 80}), "192.0.2.1:80");
  EXPECT_EQ(endpoint_text({golden::ip("2001:db8::1"), 80}), "[2001:db8::1]:80");
  EXPECT_EQ(endpoint_text({golden::ip("192.0.2.1"), 0}), "192.0.2.1");
  EXPECT_EQ(endpoint_text({golden::ip("2001:db8::1"), 0}), "2001:db8::1");
}

TEST(Format, ErrnoHasItsNameEverywhere) {
  EXPECT_EQ(errno_name(110), "ETIMEDOUT");
  EXPECT_EQ(errno_name(4711), "errno 4711");
  EXPECT_EQ(errno_words(111), "Connection refused");
}

TEST(Format, NamesCannotControlATerminal) {
  EXPECT_EQ(printable("ok", false), "ok");
  EXPECT_EQ(printable("\x1b[31m\n\x7f", true), "?[31m??");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m",
                      true),
            "?31m");  // CSI as a C1 control
  EXPECT_EQ(printable("\xff", true), "?");
  EXPECT_EQ(printable("\u00e9", true), "\u00e9");
  EXPECT_EQ(printable("\u00e9", false), "?");
}

TEST(Format, PrintableIsWhatPrintableLeaves) {
  for (const std::string text : {"", "ok", "exactly 8", "\x1b[31m", "a\n", "\x7f", "\u00e9", "\u009b", "\u202e", "\xff",
                                 "\xe6\xbc", "\u6f22\u5b57", "eight by\x01"}) {
    for (const bool utf8 : {false, true}) EXPECT_EQ(is_printable(text, utf8), printable(text, utf8) == text) << text;
  }
}

TEST(Cells, ATextHasTheColumnsOfATerminal) {
  EXPECT_EQ(columns(""), 0U);
  EXPECT_EQ(columns("abc"), 3U);
  EXPECT_EQ(columns("\u2192\u00e9\u2500\u25b2\u2026"), 5U) << "our own marks";
  EXPECT_EQ(columns("\u6f22\u5b57"), 4U);
  EXPECT_EQ(columns("a long name, \uac00\uff21"), 17U);
  EXPECT_EQ(columns("\U0001F600\U00020000"), 4U);
  EXPECT_EQ(columns("e\u0301\u200d\ufe0f"), 1U);
  EXPECT_EQ(columns("\x1b\xff\u009b\u202e"), 4U) << "what becomes a '?'";
}

// The tables are searched by halves.
TEST(Cells, EachCharacterHasItsOwnWidth) {
  for (const char32_t character : {U'\u1100', U'\u231a', U'\u231b', U'\u25fd', U'\u3000', U'\u3042', U'\uff60',
                                   U'\U0001F300', U'\U0001FAFF', U'\U0003FFFD'})
    EXPECT_EQ(columns(character), 2U) << static_cast<unsigned>(character);
  for (const char32_t character : {U'\u0300', U'\u036f', U'\u0e31', U'\u11ff', U'\u3099', U'\ufe0f', U'\U000E01EF'})
    EXPECT_EQ(columns(character), 0U) << static_cast<unsigned>(character);
  for (const char32_t character : {U'a', U'\u02ff', U'\u0370', U'\u10ff', U'\u2319', U'\u231c', U'\u25fc', U'\u25ff',
                                   U'\u303f', U'\uff61', U'\U0001F321', U'\U0001FB00', U'\U000E01F0', U'\U0010FFFF'})
    EXPECT_EQ(columns(character), 1U) << static_cast<unsigned>(character);
}

TEST(Cells, APieceOfATextIsAsWideAsThereIsRoom) {
  EXPECT_EQ(first_columns("abc", 2), "ab");
  EXPECT_EQ(last_columns("abc", 2), "bc");
  EXPECT_EQ(first_columns("a\u6f22\u5b57", 3), "a\u6f22");
  EXPECT_EQ(first_columns("a\u6f22\u5b57", 4), "a\u6f22") << "not half of it";
  EXPECT_EQ(last_columns("\u6f22\u5b57a", 3), "\u5b57a");
  EXPECT_EQ(last_columns("\u6f22\u5b57a", 4), "\u5b57a");
  EXPECT_EQ(first_columns("e\u0301x", 1), "e\u0301") << "with what combines with it";
  EXPECT_EQ(last_columns("e\u0301x", 1), "x");
  EXPECT_EQ(last_columns("e\u0301x", 2), "e\u0301x");
  EXPECT_EQ(first_columns("ab", 9), "ab");
  EXPECT_EQ(last_columns("ab", 0), "");
}

TEST(Format, AProcessIsNamedWithItsNumberOrNotAtAll) {
  EXPECT_EQ(process_text(golden::process(7, "curl", PidSource::connect), false), "curl[7]");
  EXPECT_EQ(process_text(golden::process(7, "", PidSource::connect), false), "?[7]");
  EXPECT_EQ(process_text({}, false), "?");
}

}  // namespace
}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// sink_json_writer.cpp: JsonWriter's commas, numbers and strings, against nlohmann's reader.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "sink/format.hpp"
#include "sink/json_writer.hpp"

namespace tcpwitness {
namespace {

std::string json_string(std::string_view text) {
  Buffer buffer;
  JsonWriter(buffer).value(text);
  return fmt::to_string(buffer);
}

TEST(JsonWriter, CommasStandBetweenMembersAndElementsOnly) {
  Buffer buffer;
  JsonWriter json(buffer);
  json.begin_object();
  json.key("a");
  json.begin_array();
  json.end_array();
  json.key("b");
  json.begin_array();
  json.value(1);
  json.null();
  json.begin_object();
  json.end_object();
  json.begin_object();
  json.field("c", true);
  json.end_object();
  json.end_array();
  json.field("d", "e");
  json.end_object();
  EXPECT_EQ(fmt::to_string(buffer), R"({"a":[],"b":[1,null,{},{"c":true}],"d":"e"})");
}

TEST(JsonWriter, IntegersKeepAllTheirDigits) {
  Buffer buffer;
  JsonWriter json(buffer);
  json.begin_array();
  json.value(std::numeric_limits<std::uint64_t>::max());
  json.value(std::numeric_limits<std::int64_t>::min());
  json.value(std::uint8_t{255});
  json.value(std::uint16_t{65535});
  json.value(-1);
  json.value(false);
  json.end_array();
  EXPECT_EQ(fmt::to_string(buffer), "[18446744073709551615,-9223372036854775808,255,65535,-1,false]");
}

TEST(JsonWriter, AFieldIsItsKeyAndItsValue) {
  Buffer buffer;
  JsonWriter json(buffer);
  json.begin_object();
  json.field("number", std::numeric_limits<std::int64_t>::min());
  json.field("none", 0U);
  json.field("yes", true);
  json.field("text", std::string_view("a\"b"));
  json.plain_field("name", "closed");
  json.plain_field("long", "a name of more bytes than are copied at once");
  json.literal_field("list", R"(["a","b"])");
  json.key("ip");
  json.quoted(most_of_ip, [](char* at) { return put_ip(at, Address{}); });
  json.end_object();
  EXPECT_EQ(fmt::to_string(buffer),
            R"({"number":-9223372036854775808,"none":0,"yes":true,"text":"a\"b","name":"closed",)"
            R"("long":"a name of more bytes than are copied at once","list":["a","b"],"ip":"::"})");
}

TEST(JsonWriter, QuotesBackslashesAndControlsAreEscaped) {
  EXPECT_EQ(json_string(R"(a"b\c)"), R"("a\"b\\c")");
  EXPECT_EQ(json_string("\n\t\r\x1b\x7f"), R"("\n\t\u000d\u001b\u007f")");
  EXPECT_EQ(json_string(std::string_view("\0x", 2)), R"("\u0000x")");
  EXPECT_EQ(json_string(""), R"("")");
}

TEST(JsonWriter, ValidUtf8StaysAndAnythingElseIsReplaced) {
  EXPECT_EQ(json_string("h\u00e9\u20ac\U0001f600"), "\"h\u00e9\u20ac\U0001f600\"");
  EXPECT_EQ(json_string("a\xff"), "\"a\ufffd\"");
  EXPECT_EQ(json_string("\xc3"), "\"\ufffd\"");                        // cut short
  EXPECT_EQ(json_string("\xc0\xaf"), "\"\ufffd\ufffd\"");              // overlong
  EXPECT_EQ(json_string("\xe0\x80\xaf"), "\"\ufffd\ufffd\ufffd\"");    // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\ufffd\ufffd\ufffd\"");    // surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80").size(), 2U + 4 * 3);       // beyond U+10FFFF
  EXPECT_EQ(json_string("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"");  // U+10FFFF
}

TEST(JsonWriter, AnyBytesMakeValidJson) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 16, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_TRUE(nlohmann::json::accept(json_string(bytes))) << json_string(bytes);
  }
}

}  // namespace
}  // namespace tcpwitness

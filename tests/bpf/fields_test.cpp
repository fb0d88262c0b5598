// SPDX-License-Identifier: Apache-2.0
// fields_test.cpp: kernels that lack a field, played by types in which it has another name.
#include <fmt/format.h>

#include "bpf/objects.hpp"
#include "bpf/wire_program.hpp"
#include "probe/kernel_fields.hpp"

namespace tcpwitness::wire_test {
namespace {

std::string dotted(const KernelField& field) { return fmt::format("{}.{}", field.type, field.field); }

// Program to why it is refused, with these fields hidden.
std::map<std::string, std::string> refused_without(const std::string& hidden) {
  tw_config config{};
  config.tick_us = 4000;
  const DisabledFeatures without(hidden);
  const std::string types = types_without(without);
  EXPECT_EQ(types.empty(), hidden.empty());
  const auto objects = load_objects(config, types);
  EXPECT_TRUE(objects) << objects.error().message();
  std::map<std::string, std::string> refused;
  if (!objects) return refused;
  for (const LoadedObject& object : *objects) refused.insert(object.refused.begin(), object.refused.end());
  return refused;
}

std::string every_field() {
  std::string hidden;
  for (const KernelField& field : optional_fields()) hidden += (hidden.empty() ? "field:" : ",field:") + dotted(field);
  return hidden;
}

using Fields = BpfTest;

TEST_F(Fields, NoProgramNeedsOneOfThese) {
  const auto usual = refused_without("");
  for (const KernelField& field : optional_fields()) {
    if (!kernel_has(field, DisabledFeatures(""))) continue;
    EXPECT_EQ(refused_without("field:" + dotted(field)), usual) << dotted(field);
  }
}

TEST_F(Fields, NorAllOfThem) { EXPECT_EQ(refused_without(every_field()), refused_without("")); }

TEST_F(Fields, WithoutAnotherTheProgramsThatReadItAreRefused) {
  const auto refused = refused_without("field:tcp_sock.bytes_acked");
  EXPECT_TRUE(refused.contains("kernel_state"));
  EXPECT_FALSE(refused.contains("wire_egress")) << "which does not read it";
}

TEST_F(Fields, AHiddenFieldIsNotThere) {
  const KernelField srtt{"tcp_sock", "srtt_us", ""};
  EXPECT_TRUE(kernel_has(srtt, DisabledFeatures("")));
  EXPECT_FALSE(kernel_has(srtt, DisabledFeatures("field:tcp_sock.srtt_us")));
  EXPECT_FALSE(kernel_has({"tcp_sock", "no_such_field", ""}, DisabledFeatures("")));
}

}  // namespace
}  // namespace tcpwitness::wire_test

// SPDX-License-Identifier: Apache-2.0
#include "probe/flow_fields.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstring>
#include <string_view>

namespace tcpwitness {
namespace {

const btf_member* member(const btf* types, const btf_type* type, std::string_view name) {
  if (type == nullptr || !btf_is_struct(type)) return nullptr;
  const btf_member* members = btf_members(type);
  for (int i = 0; i < btf_vlen(type); ++i) {
    if (name == btf__name_by_offset(types, members[i].name_off)) return &members[i];
  }
  return nullptr;
}

}  // namespace

FlowFields::FlowFields(const bpf_object* object, const bpf_map* flows) {
  constexpr std::size_t bits = 8;
  const btf* types = bpf_object__btf(object);
  if (types == nullptr) return;
  const btf_type* flow = btf__type_by_id(types, bpf_map__btf_value_type_id(flows));
  const btf_member* halves = member(types, flow, "half");
  if (halves == nullptr) return;
  const btf_type* array = btf__type_by_id(types, halves->type);
  if (array == nullptr || !btf_is_array(array) || btf_array(array)->nelems != 2) return;
  const btf_type* half = btf__type_by_id(types, btf_array(array)->type);
  const btf_member* isn = member(types, half, "isn");
  const btf_member* syn = member(types, half, "syn");
  if (isn == nullptr || syn == nullptr) return;
  place_ = Place{halves->offset / bits, half->size, isn->offset / bits, syn->offset / bits};
}

std::optional<std::uint32_t> FlowFields::isn(std::span<const std::byte> entry, bool out) const {
  if (!place_ || entry.size() < place_->halves + 2 * place_->half_bytes) return std::nullopt;
  const auto half = entry.subspan(place_->halves + (out ? place_->half_bytes : 0), place_->half_bytes);
  if (half[place_->syn] == std::byte{0}) return std::nullopt;
  std::uint32_t number = 0;
  std::memcpy(&number, half.data() + place_->isn, sizeof number);
  return number;
}

}  // namespace tcpwitness

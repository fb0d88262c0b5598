// SPDX-License-Identifier: Apache-2.0
#include "probe/flow_fields.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

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

template <typename Value>
void take(std::span<const std::byte> from, std::size_t offset, Value& value) {
  std::memcpy(&value, from.data() + offset, sizeof value);
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
  const btf_member* loss = member(types, flow, "loss");
  const btf_member* hop = member(types, flow, "hop");
  if (loss == nullptr || hop == nullptr) return;
  Place place{.halves = halves->offset / bits,
              .half_bytes = half->size,
              .loss = loss->offset / bits,
              .hop = hop->offset / bits};
  const std::array<std::pair<const char*, std::size_t*>, 5> of_half{{{"isn", &place.isn},
                                                                     {"syn", &place.syn},
                                                                     {"bytes", &place.bytes},
                                                                     {"segs", &place.segs},
                                                                     {"retrans_bytes", &place.retrans_bytes}}};
  for (const auto& [name, offset] : of_half) {
    const btf_member* field = member(types, half, name);
    if (field == nullptr) return;
    *offset = field->offset / bits;
  }
  place_ = place;
}

tw_wire_counters FlowFields::wire(std::span<const std::byte> entry) const {
  tw_wire_counters counted{};
  const auto in = half(entry, false);
  const auto out = half(entry, true);
  if (in.empty()) return counted;
  take(in, place_->bytes, counted.bytes_in);
  take(out, place_->bytes, counted.bytes_out);
  take(in, place_->segs, counted.segs_in);
  take(out, place_->segs, counted.segs_out);
  take(in, place_->retrans_bytes, counted.retrans_bytes_in);
  take(out, place_->retrans_bytes, counted.retrans_bytes_out);
  return counted;
}

tw_loss_counters FlowFields::loss(std::span<const std::byte> entry) const {
  tw_loss_counters counted{};
  if (place_ && entry.size() >= place_->loss + sizeof counted) take(entry, place_->loss, counted);
  return counted;
}

bool FlowFields::hop(std::span<const std::byte> entry) const {
  return place_ && entry.size() > place_->hop && entry[place_->hop] != std::byte{0};
}

std::optional<std::uint32_t> FlowFields::isn(std::span<const std::byte> entry, bool out) const {
  const auto one = half(entry, out);
  if (one.empty() || one[place_->syn] == std::byte{0}) return std::nullopt;
  std::uint32_t number = 0;
  take(one, place_->isn, number);
  return number;
}

// Empty: nothing is known of the entry.
std::span<const std::byte> FlowFields::half(std::span<const std::byte> entry, bool out) const {
  if (!place_ || entry.size() < place_->halves + 2 * place_->half_bytes) return {};
  return entry.subspan(place_->halves + (out ? place_->half_bytes : 0), place_->half_bytes);
}

}  // namespace tcpwitness

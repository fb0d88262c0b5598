// SPDX-License-Identifier: Apache-2.0
// kernel_fields.hpp: the fields of kernel structures that a program can do without (OPTIONAL in bpf/kernel_types.h).
//
// A field is one of these only if its absence makes nothing false that is reported. Without any other field the program
// that reads it is refused, and the refusal names the field.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "probe/features.hpp"

namespace tcpwitness {

struct KernelField {
  std::string_view type;
  std::string_view field;
  std::string_view lost;  // what is not known without it; "": it came with a feature that an older kernel does not have
};

[[nodiscard]] std::span<const KernelField> optional_fields();
[[nodiscard]] bool kernel_has(const KernelField& field, const DisabledFeatures& disabled);

// The kernel's types as a file for libbpf, in which the fields that a test hides ("field:tcp_sock.srtt_us") have other
// names. "" where none is hidden: then libbpf reads the kernel's own.
[[nodiscard]] std::string types_without(const DisabledFeatures& disabled);

}  // namespace tcpwitness

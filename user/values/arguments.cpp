// SPDX-License-Identifier: Apache-2.0
// arguments.cpp: a variant of so many is much to compile: its copying, moving and destroying are here, for all who hold
// a finding.
#include "tcpwitness/arguments.hpp"

namespace tcpwitness {

Arguments::Arguments() noexcept = default;
Arguments::Arguments(const Arguments& other) = default;
Arguments::Arguments(Arguments&& other) noexcept = default;
Arguments& Arguments::operator=(const Arguments& other) = default;
Arguments& Arguments::operator=(Arguments&& other) noexcept = default;
Arguments::~Arguments() = default;

}  // namespace tcpwitness

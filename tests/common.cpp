// SPDX-License-Identifier: Apache-2.0
// common.cpp: see common.hpp.
#include "common.hpp"

template class nlohmann::basic_json<>;
template class nlohmann::detail::serializer<nlohmann::json>;

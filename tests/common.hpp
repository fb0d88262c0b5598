// SPDX-License-Identifier: Apache-2.0
// common.hpp: the headers that most tests include, compiled once for all of them (CMakeLists.txt). JSON values, half of
// what a test costs to compile, are instantiated in common.cpp alone.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;

// SPDX-License-Identifier: Apache-2.0
//
// The list of everything the lab can play, in the order of the six situations, then the rest. A summary has what
// is played, never what a tracer will find.

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "lab/played.hpp"

namespace tcpwitness::lab {

class Script;

// Where a tracer gets most of it.
enum class Vantage { client, server, both };

struct Case {
  std::string_view name;
  std::string_view situation;  // group word, "more" for what belongs to none of the six
  std::string_view summary;
  Vantage vantage;
  void (*before)(Script&);  // what exists before anyone watches; null for most
  void (*play)(Script&);
};

struct Situation {
  int number;  // 0: none
  std::string_view name;
  std::string_view title;
};

std::span<const Case> catalogue();
std::span<const Situation> situations();
// Null if there is none of that name.
const Case* find_case(std::string_view name);
// A case's name, a situation's name or number, or "all": what is to be played, in order.
std::vector<const Case*> select_cases(std::string_view word);
const char* to_string(Vantage vantage);
inline Side best_side(Vantage vantage) { return vantage == Vantage::server ? Side::server : Side::client; }

}  // namespace tcpwitness::lab

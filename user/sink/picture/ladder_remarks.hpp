// SPDX-License-Identifier: Apache-2.0
// ladder_remarks.hpp: the findings of a connection beside its ladder.
#pragma once

#include <unordered_map>

#include "sink/picture/ladder.hpp"

namespace tcpwitness::picture {

// Each beside the first row that it rests on, below the one before. tops: of the rows, by the events they show.
void add_remarks(Ladder& ladder, const Connection& connection, const Connection* peer,
                 const std::unordered_map<EventId, double>& tops);

}  // namespace tcpwitness::picture

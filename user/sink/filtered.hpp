// SPDX-License-Identifier: Apache-2.0
// filtered.hpp: a sink before a sink, which passes on what a ReportFilter matches.
//
// What a connection's end decides is kept until then: the entries of a timeline, bounded. The findings of one that is
// still open pass when they fire, where the ReportFilter asks for findings, and its timeline follows from there on.
#pragma once

#include <cstddef>
#include <memory>

#include "tcpwitness/pipeline.hpp"
#include "values/report_filter.hpp"

namespace tcpwitness {

// Of connections that are not decided yet. Of one the newest entries stay; of all, those of the connection that began
// first go.
struct KeptLimits {
  std::size_t of_one = 1'000;
  std::size_t of_all = 200'000;  // about 100 MB
};

[[nodiscard]] std::unique_ptr<Sink> with_filter(std::unique_ptr<Sink> sink, const ReportFilter& filter,
                                                KeptLimits limits = {});

}  // namespace tcpwitness

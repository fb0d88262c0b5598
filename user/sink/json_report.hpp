// SPDX-License-Identifier: Apache-2.0
// json_report.hpp: one report as the object that -o json has for it, for sinks that put it elsewhere than on a line.
#pragma once

#include <memory>

#include "sink/output.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

class JsonReport {
 public:
  explicit JsonReport(const Names& names);
  ~JsonReport();
  JsonReport(const JsonReport&) = delete;
  JsonReport& operator=(const JsonReport&) = delete;

  // Without the end of the line. Nothing for an Interim.
  void append(Buffer& out, const Report& report);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness

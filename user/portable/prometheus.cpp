// SPDX-License-Identifier: Apache-2.0
// prometheus.cpp: what we use of prometheus-cpp, for the portable program: Debian has the library shared only.
#include <prometheus/text_serializer.h>

#include <sstream>

#include "portable/text_format.hpp"

namespace prometheus {

std::string Serializer::Serialize(const std::vector<MetricFamily>& metrics) const {
  std::ostringstream out;
  Serialize(out, metrics);
  return std::move(out).str();
}

void TextSerializer::Serialize(std::ostream& out, const std::vector<MetricFamily>& metrics) const {
  tcpwitness::portable::write_text(out, metrics);
}

}  // namespace prometheus

// SPDX-License-Identifier: Apache-2.0
// text_format.hpp: Prometheus' text format of counters, gauges and histograms, for the portable program.
//
// A test holds it against prometheus-cpp's, letter by letter.
#pragma once

#include <prometheus/metric_family.h>

#include <limits>
#include <locale>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tcpwitness::portable {

inline void write_value(std::ostream& out, std::string_view text) {
  for (const char letter : text) {
    if (letter == '\n') {
      out << "\\n";
      continue;
    }
    if (letter == '\\' || letter == '"') out << '\\';
    out << letter;
  }
}

// One sample: name, labels, and of a bucket its bound.
inline void write_sample(std::ostream& out, const std::string& name, const prometheus::ClientMetric& metric,
                         double value, std::string_view bound = {}) {
  out << name;
  const char* before = "{";
  for (const auto& label : metric.label) {
    out << before << label.name << "=\"";
    write_value(out, label.value);
    out << '"';
    before = ",";
  }
  if (!bound.empty()) {
    out << before << "le=\"" << bound << '"';
    before = ",";
  }
  out << (*before == ',' ? "} " : " ") << value << '\n';
}

inline void write_histogram(std::ostream& out, const std::string& name, const prometheus::ClientMetric& metric) {
  const auto& histogram = metric.histogram;
  const auto count = static_cast<double>(histogram.sample_count);
  write_sample(out, name + "_count", metric, count);
  write_sample(out, name + "_sum", metric, histogram.sample_sum);
  for (const auto& bucket : histogram.bucket) {
    std::ostringstream bound;
    bound.imbue(std::locale::classic());
    bound.precision(out.precision());
    bound << bucket.upper_bound;
    write_sample(out, name + "_bucket", metric, static_cast<double>(bucket.cumulative_count), bound.str());
  }
  write_sample(out, name + "_bucket", metric, count, "+Inf");
}

inline void write_text(std::ostream& out, const std::vector<prometheus::MetricFamily>& families) {
  const std::locale before = out.imbue(std::locale::classic());
  const auto precision = out.precision(std::numeric_limits<double>::max_digits10 - 1);
  for (const prometheus::MetricFamily& family : families) {
    const bool counter = family.type == prometheus::MetricType::Counter;
    const bool gauge = family.type == prometheus::MetricType::Gauge;
    out << "# HELP " << family.name << ' ' << family.help << '\n';
    out << "# TYPE " << family.name << ' ' << (counter ? "counter" : gauge ? "gauge" : "histogram") << '\n';
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (counter || gauge) {
        write_sample(out, family.name, metric, counter ? metric.counter.value : metric.gauge.value);
      } else {
        write_histogram(out, family.name, metric);
      }
    }
  }
  out.precision(precision);
  out.imbue(before);
}

}  // namespace tcpwitness::portable

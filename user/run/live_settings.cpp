// SPDX-License-Identifier: Apache-2.0
#include "run/live_settings.hpp"

#include "run/outputs.hpp"
#include "run/signals.hpp"

namespace tcpwitness {

TracerSettings tracer_settings(const Options& options) {
  TracerSettings settings;
  settings.interfaces = options.interfaces;
  settings.wire = options.wire;
  settings.kernel = options.kernel;
  settings.ports = options.ports;
  settings.hosts = options.hosts;
  settings.ring_bytes = options.ring_bytes;
  settings.flows = options.flows;
  settings.packets_all = options.packets_all;
  settings.forwarded = options.forwarded;
  // A recording keeps the causes of transitions: 'read --trace' prints them.
  settings.samples = options.sample_every().count() != 0;
  settings.timeline = options.command != Command::life && options.command != Command::summary &&
                      options.command != Command::serve && options.command != Command::top;
  settings.digests = !settings.timeline && !options.packets_all && !options.forwarded && !options.comparing();
  if (options.command == Command::record) settings.snaplen = options.record.snaplen;
  return settings;
}

CorrelatorSettings correlator_settings(const Options& options, const LiveFilter& live_filter, const Tracer& tracer) {
  CorrelatorSettings settings;
  static_cast<ReportSettings&>(settings) = report_settings(options);
  settings.has_kernel = tracer.has_kernel();
  settings.has_wire = tracer.has_wire();
  settings.every_segment = options.packets_all && settings.has_wire;
  settings.forwarded = options.forwarded;
  settings.every_interface = tracer.every_interface();
  if (options.stuck_after) settings.close_wait_stuck_ns = options.stuck_after->count();
  if (!options.children) settings.pid = options.pid;
  settings.comm = options.comm;
  settings.of_process = live_filter.of_process();
  settings.of_flow = live_filter.of_flow();
  settings.flow_excludes = live_filter.flow_excludes();
  return settings;
}

RecorderSettings recorder_settings(const RecordOptions& options) {
  RecorderSettings settings;
  settings.path = options.path;
  settings.rotate_bytes = options.rotate_bytes;
  settings.rotate_every = options.rotate_every;
  settings.keep = options.keep;
  settings.limits = {.total_bytes = options.total_bytes, .longest = options.longest};
  settings.flight = options.flight;
  settings.on = options.on;
  return settings;
}

StartMark start_mark(const Options& options, const RunSettings& settings, const Ready& ready, TimeNs started_ns,
                     std::int64_t offset_ns, const Features& features) {
  StartMark start;
  start.started_ns = started_ns;
  start.offset_ns = offset_ns;
  start.ready = ready;
  static_cast<RunSettings&>(start) = settings;
  start.count = options.count.value_or(0);
  start.snaplen = options.record.snaplen;
  start.reset_reasons = features.reset_reasons;
  start.drop_reasons = features.drop_reasons;
  return start;
}

bool opens_files_again(const Options& options) { return options.command == Command::record || !options.append.empty(); }

bool hangup_reopens(const Options& options, const ServiceManager& manager) {
  return manager.there() || (opens_files_again(options) && !has_terminal());
}

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// live_parts.hpp: what a live run works with: opened by live.cpp, in the order that the privileges ask for, and longer
// there than the run.
#pragma once

#include "cli/options.hpp"
#include "probe/features.hpp"
#include "probe/tracer.hpp"
#include "run/backlog.hpp"
#include "run/child.hpp"
#include "run/chosen_process.hpp"
#include "run/live_filter.hpp"
#include "run/serve.hpp"
#include "run/top.hpp"
#include "service/appended_file.hpp"
#include "service/manager.hpp"
#include "source/ring.hpp"
#include "source/urgency.hpp"
#include "values/run_clock.hpp"

namespace tcpwitness {

struct LiveParts {
  const Options& options;
  const LiveFilter& live_filter;
  const Features& features;
  Child* child;            // null where no command is run
  ChosenProcess& process;  // of -p; else none
  MetricsServer* metrics;  // null where none are served
  LiveView* view;          // null where there is no screen
  Tracer& tracer;
  RingSource& ring;
  Urgency& urgency;
  Backlog& backlog;  // what the hooks wrote since they were attached
  RunClock& clock;
  TimeNs started_ns;  // before the first hook was attached
  int signals;        // SIGINT and its like, as a descriptor
  ServiceManager& manager;
  AppendedFile& appended;  // of --append; else it is not valid
};

}  // namespace tcpwitness

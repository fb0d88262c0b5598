// SPDX-License-Identifier: Apache-2.0
// emitter.hpp: how reports leave: through the timeline where there is one, otherwise at once.
//
// A call of the Correlator appends to its caller's reports. For that time they are here (Emitter::Call swaps them in
// and out), so nothing is copied and nothing refers to a caller whose call is over.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "correlate/selection.hpp"
#include "correlate/timeline.hpp"
#include "facts/connection.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

class Emitter {
 public:
  // All are kept by reference.
  Emitter(const ReportSettings& settings, const Selection& selection, Timeline& timeline)
      : settings_(settings), selection_(selection), timeline_(timeline) {}

  class [[nodiscard]] Call {
   public:
    Call(Emitter& emitter, Reports& out) : emitter_(emitter), out_(out) { emitter_.reports_.swap(out_); }
    ~Call() { emitter_.reports_.swap(out_); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Emitter& emitter_;
    Reports& out_;
  };

  // So many wait for the caller of this call.
  [[nodiscard]] std::size_t waiting() const { return reports_.size(); }

  void report(Report&& report, ConnectionId conn);
  void finding(const Connection& c, TimeNs ts, Finding finding);
  void finding(const Flow& flow, TimeNs ts, Finding finding);  // of no connection

  template <typename Body>
  static Entry entry_of(const Connection* c, const Event& e, const Flow& flow, Body body) {
    return Entry{
        c != nullptr ? c->id : 0, e.id, e.ts_ns, flow, std::move(body), c != nullptr ? c->on_the_wire() : std::nullopt};
  }
  template <typename Body>
  void entry(const Connection* c, const Event& e, const Flow& flow, Body body) {
    if (settings_.timeline) {
      timeline_.push(entry_of(c, e, flow, std::move(body)), c != nullptr ? c->id : 0);
    } else if constexpr (std::is_same_v<Body, KeepaliveEntry> || std::is_same_v<Body, DropEntry>) {
      if (settings_.counted && (c != nullptr ? selection_.wants(*c) : selection_.wants_alone(flow)))
        reports_.emplace_back(entry_of(c, e, flow, std::move(body)));
    }
  }
  // Without a timeline: whether it is wanted or not.
  template <typename Body>
  void entry_at_once(const Connection& c, const Event& e, Body body) {
    reports_.emplace_back(entry_of(&c, e, c.flow, std::move(body)));
  }
  // Likewise. A Life is large: make() makes it where it stays.
  template <typename Make>
  const Life& life_at_once(Make make) {
    reports_.emplace_back(std::in_place_type<Life>, InPlace<Make>{make});
    return std::get<Life>(reports_.back());
  }
  template <typename Make>
  static Report life(Make make) {
    return Report(std::in_place_type<Life>, InPlace<Make>{make});
  }

  // Whether a connection is wanted is decided; last: it is over.
  void decide(const Connection& c, bool last) {
    if (!settings_.timeline || !selection_.any()) return;
    if (last || selection_.is_final(c)) timeline_.decide(c.id, selection_.wants(c), reports_);
  }
  // What waits for nothing at `now` leaves.
  void release(TimeNs now) {
    if (settings_.timeline) timeline_.release(now, reports_);
  }
  void flush() { timeline_.flush(reports_); }

 private:
  template <typename Make>
  struct InPlace {
    Make make;
    operator Life() const { return make(); }  // NOLINT(google-explicit-constructor)
  };

  const ReportSettings& settings_;
  const Selection& selection_;
  Timeline& timeline_;
  Reports reports_;  // of the caller, while its call runs
};

}  // namespace tcpwitness

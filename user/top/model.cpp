// SPDX-License-Identifier: Apache-2.0
#include "top/model.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sink/format.hpp"
#include "sink/listener.hpp"
#include "values/report_filter.hpp"

namespace tcpwitness::top {
namespace {

constexpr std::uint64_t idle_intervals = 3;  // a group that nobody has used for so long may be folded

std::uint64_t grown(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

std::optional<Rule> first_problem(const Life& life) {
  for (const Finding& finding : life.findings) {
    if (is_problem(finding.rule)) return finding.rule;
  }
  return std::nullopt;
}

// The counters of a connection, as they are.
Counts counters(const Life& life) {
  return {.tx = life.tx_bytes,
          .rx = life.rx_bytes,
          .retransmits_out = life.retransmits,
          .retransmits_in = life.retransmits_in.value_or(0)};
}

Connection connection_of(const Life& life) {
  Connection c;
  c.conn = life.conn;
  c.flow = life.flow;
  c.pid = life.process.pid;
  std::memcpy(c.comm.data(), life.process.comm.data(), std::min(life.process.comm.size(), c.comm.size() - 1));
  c.role = life.role;
  c.state = life.states.empty() ? TcpState::unknown : life.states.back();
  c.outcome = life.outcome;
  c.open = life.outcome == Outcome::open;
  c.finding = first_problem(life);
  c.bad = c.finding.has_value() || is_problem(life.outcome);
  c.start_ns = life.start_ts_ns;
  c.end_ns = life.ts_ns;
  return c;
}

std::string both_ends(const Flow& flow) {
  return std::string(endpoint_text(flow.local).view()) + " - " + std::string(endpoint_text(flow.remote).view());
}

// Of words that mostly differ in few bits.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 31U)) * 0x9e3779b97f4a7c15ULL;
  return x ^ (x >> 29U);
}

}  // namespace

Counts& Counts::operator+=(const Counts& more) {
  begun += more.begun;
  ended += more.ended;
  bad += more.bad;
  resets += more.resets;
  tx += more.tx;
  rx += more.rx;
  retransmits_out += more.retransmits_out;
  retransmits_in += more.retransmits_in;
  return *this;
}

std::string_view Connection::name() const { return {comm.data(), ::strnlen(comm.data(), comm.size())}; }

bool is_reset(const Life& life) {
  const Outcome outcome = life.outcome;
  // An ICMP message refuses, too: of a RST there is a finding who sent it.
  if (outcome == Outcome::refused)
    return std::ranges::find(life.findings, Rule::reset_origin, &Finding::rule) != life.findings.end();
  return outcome == Outcome::reset_by_peer || outcome == Outcome::reset_by_local ||
         outcome == Outcome::reset_by_outsider || outcome == Outcome::aborted;
}

std::size_t Model::Hash::operator()(const Key& key) const noexcept {
  return mixed(key.words[0] ^ mixed(key.words[1] ^ mixed(key.words[2])));
}

Model::Model(Limits limits) : limits_(limits) {
  for (Table& table : tables_) table.other.name = "other";
}

void Model::take(const Report& report) {
  if (const auto* life = std::get_if<Life>(&report)) {
    end(*life);
  } else if (const auto* interim = std::get_if<Interim>(&report)) {
    if (interim->life) {
      look(*interim->life);
    } else {
      end_interval(interim->ts_ns);
    }
  } else if (const auto* finding = std::get_if<FindingReport>(&report)) {
    find_line(*finding);
  } else if (const auto* gap = std::get_if<GapReport>(&report)) {
    lost_ += gap->gap.lost;
    lost_now_ += gap->gap.lost;
    add_line({.ts_ns = gap->ts_ns, .title = "events lost", .text = gap_in_words(gap->gap), .loud = true});
  } else if (const auto* ready = std::get_if<Ready>(&report)) {
    begun_ns_ = now_ns_ = std::max(now_ns_, ready->ts_ns);
  }
}

void Model::say(TimeNs now, std::string text) { add_line({.ts_ns = now, .text = std::move(text)}); }

void Model::find_line(const FindingReport& report) {
  if (!is_problem(report.finding.rule)) return;
  std::string title(name(report.finding.rule));
  title.append(" (").append(name(report.finding.confidence)).append(")");
  add_line({.ts_ns = report.ts_ns,
            .conn = report.conn,
            .title = std::move(title),
            .where = both_ends(report.flow),
            .text = sentence(report.finding)});
}

void Model::add_line(Line line) {
  if (lines_.size() >= limits_.lines) lines_.pop_front();
  lines_.push_back(std::move(line));
}

Counts Model::since(const Counts& before, const Life& life) {
  const Counts is = counters(life);
  return {.tx = grown(is.tx, before.tx),
          .rx = grown(is.rx, before.rx),
          .retransmits_out = grown(is.retransmits_out, before.retransmits_out),
          .retransmits_in = grown(is.retransmits_in, before.retransmits_in)};
}

void Model::end(const Life& life) {
  if (life.outcome == Outcome::open) return look(life);  // the run ends, the connection does not
  const auto at = followed_.find(life.conn);
  const bool known = at != followed_.end();
  Connection c = connection_of(life);
  Counts counts;
  if (known) {
    counts = since(at->second.total, life);
  } else if (!life.preexisting) {
    counts = counters(life);
    counts.begun = 1;
  }
  counts.ended = 1;
  counts.bad = c.bad && !(known && at->second.counted_bad) ? 1 : 0;
  counts.resets = is_reset(life) ? 1 : 0;
  count(life, counts, false);
  c.total = counters(life);
  c.now = counts;
  c.seen = interval_;
  if (known) {
    c.now += at->second.now;
    followed_.erase(at);
  }
  remember(c);
}

void Model::remember(const Connection& connection) {
  std::deque<Connection>& list = connection.bad ? ended_bad_ : ended_;
  if (list.size() >= limits_.ended) list.pop_front();
  list.push_back(connection);
}

void Model::look(const Life& life) {
  ++open_now_;
  auto at = followed_.find(life.conn);
  Counts counts;
  if (at == followed_.end()) {
    if (followed_.size() >= limits_.open) {
      ++not_followed_now_;
      count(life, {}, true);
      return;
    }
    if (!life.preexisting) {
      counts = counters(life);
      counts.begun = 1;
    }
    at = followed_.emplace(life.conn, connection_of(life)).first;
  } else {
    counts = since(at->second.total, life);
    Connection fresh = connection_of(life);
    fresh.now = at->second.now;
    fresh.last = at->second.last;
    fresh.counted_bad = at->second.counted_bad;
    at->second = fresh;
  }
  Connection& c = at->second;
  c.open = true;
  c.outcome = Outcome::open;
  c.bad = c.finding.has_value();
  if (c.bad && !std::exchange(c.counted_bad, true)) counts.bad = 1;
  c.total = counters(life);
  c.now += counts;
  c.seen = interval_;
  count(life, counts, true);
}

void Model::count(const Life& life, const Counts& counts, bool open) {
  now_ += counts;
  total_ += counts;
  for (const By by : {By::process, By::remote, By::listener}) {
    Group& row = group(by, life);
    row.now += counts;
    row.total += counts;
    row.open_now += open ? 1 : 0;
    row.used = interval_;
  }
}

Model::Key Model::key_of(By by, const Life& life) {
  Key key;
  const auto address = [&](const Address& a) { std::memcpy(key.words.data(), a.bytes.data(), a.bytes.size()); };
  switch (by) {
    case By::process:
      key.words[0] = life.process.pid;
      std::memcpy(&key.words[1], life.process.comm.data(), std::min<std::size_t>(life.process.comm.size(), 16));
      break;
    case By::remote:
      address(life.flow.remote.address);
      break;
    case By::listener:
      address(listener_of(life).address);
      key.words[2] = listener_of(life).port;
      break;
  }
  return key;
}

std::string Model::name_of(By by, const Life& life) {
  if (by == By::listener) return std::string(endpoint_text(listener_of(life)).view());
  if (by == By::remote) {
    return std::string(endpoint_text(Endpoint{.address = life.flow.remote.address, .port = 0}).view());
  }
  if (life.forwarded) return "forwarded";
  return life.process.comm.empty() ? "?" : life.process.comm;
}

Group& Model::group(By by, const Life& life) {
  Table& table = tables_[static_cast<std::size_t>(by)];
  const Key key = key_of(by, life);
  const auto at = table.rows.find(key);
  if (at != table.rows.end()) return at->second;
  if (table.rows.size() >= limits_.groups) return table.other;
  Group& row = table.rows[key];
  row.name = name_of(by, life);
  row.pid = by == By::process ? life.process.pid : 0;
  return row;
}

void Model::end_interval(TimeNs now) {
  now_ns_ = std::max(now_ns_, now);
  if (begun_ns_ == 0) begun_ns_ = now_ns_;
  const double passed = static_cast<double>(now_ns_ - begun_ns_) / 1e9;
  begun_ns_ = now_ns_;
  open_ = std::exchange(open_now_, 0);
  not_followed_ = std::exchange(not_followed_now_, 0);
  ended_last_ = now_.ended;
  // One that the look did not show is about to end, or too old: its end is still to come.
  constexpr double no_time = 0.001;
  if (passed >= no_time) {
    seconds_ = passed;
    const auto per_second = [&](std::uint64_t count) { return static_cast<double>(count) / passed; };
    if (samples_.size() >= limits_.samples) samples_.pop_front();
    samples_.push_back({.begun = per_second(now_.begun),
                        .tx = per_second(now_.tx),
                        .rx = per_second(now_.rx),
                        .retransmits_out = per_second(now_.retransmits_out),
                        .retransmits_in = per_second(now_.retransmits_in),
                        .resets = per_second(now_.resets),
                        .lost = per_second(lost_now_),
                        .open = static_cast<double>(open_)});
  }
  now_ = {};
  lost_now_ = 0;
  for (Table& table : tables_) {
    const auto next = [](Group& row) {
      row.last = std::exchange(row.now, {});
      row.open = std::exchange(row.open_now, 0);
    };
    for (auto& [key, row] : table.rows) next(row);
    next(table.other);
    fold(table);
  }
  for (auto& [conn, c] : followed_) c.last = std::exchange(c.now, {});
  for (std::deque<Connection>* list : {&ended_, &ended_bad_}) {
    for (auto c = list->rbegin(); c != list->rend() && c->seen + 2 > interval_; ++c)
      c->last = std::exchange(c->now, {});
  }
  // Gone without an end: it was let go of (TIME_WAIT, a listing that missed it).
  std::erase_if(followed_, [&](const auto& item) { return item.second.seen + 30 < interval_; });
  ++interval_;
}

void Model::fold(Table& table) const {
  if (table.rows.size() <= limits_.groups / 2) return;
  struct Idle {
    std::uint64_t used;
    Key key;
  };
  std::vector<Idle> idle;
  for (const auto& [key, row] : table.rows) {
    if (row.used + idle_intervals < interval_) idle.push_back({row.used, key});
  }
  std::ranges::sort(idle, {}, &Idle::used);
  for (const Idle& one : idle) {
    if (table.rows.size() <= limits_.groups / 2) break;
    const auto at = table.rows.find(one.key);
    table.other.total += at->second.total;
    table.rows.erase(at);
    ++table.folded;
  }
}

std::vector<const Group*> Model::groups(By by) const {
  const Table& table = tables_[static_cast<std::size_t>(by)];
  std::vector<const Group*> list;
  list.reserve(table.rows.size() + 1);
  for (const auto& [key, row] : table.rows) list.push_back(&row);
  return list;
}

std::vector<const Connection*> Model::connections() const {
  std::vector<const Connection*> list;
  list.reserve(followed_.size() + ended_.size() + ended_bad_.size());
  for (const auto& [conn, c] : followed_) list.push_back(&c);
  for (const Connection& c : ended_) list.push_back(&c);
  for (const Connection& c : ended_bad_) list.push_back(&c);
  return list;
}

const Connection* Model::find(ConnectionId conn) const {
  const auto at = followed_.find(conn);
  if (at != followed_.end()) return &at->second;
  for (const std::deque<Connection>* list : {&ended_, &ended_bad_}) {
    const auto found = std::ranges::find(*list, conn, &Connection::conn);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

}  // namespace tcpwitness::top

// SPDX-License-Identifier: Apache-2.0
// tracer_lists.cpp: what a tracer reads at once: the iterators of snapshot.bpf.c, the flow map, the counters of each
// CPU.
#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "probe/kernel_clock.hpp"
#include "probe/port_count.hpp"
#include "probe/tracer_impl.hpp"
#include "values/monotonic.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

tw_tuple to_tuple(const Flow& flow) { return std::bit_cast<tw_tuple>(to_pair(flow)); }

// One that user space makes itself, as an iterator would.
tw_socket socket_record(std::uint64_t now_ns, std::uint32_t netns) {
  tw_socket record{};
  record.header.ts_ns = now_ns;
  record.header.netns = netns;
  record.header.cpu = TW_NO_CPU;
  record.header.kind = TW_KIND_SOCKET;
  record.header.version = TW_ABI_VERSION;
  record.type = TW_SOCKET_NONE;
  return record;
}

}  // namespace

std::int64_t Tracer::clock_ahead_ns() const { return impl_->clock_ahead_ns; }

std::uint64_t Tracer::Impl::kernel_ns() const { return static_cast<std::uint64_t>(monotonic_ns() + clock_ahead_ns); }

bool Tracer::Impl::find_flow(const tw_tuple& key, std::vector<std::byte>& value) const {
  value.resize(bpf_map__value_size(flows()));
  return bpf_map_lookup_elem(bpf_map__fd(flows()), &key, value.data()) == 0;
}

const FlowFields& Tracer::Impl::flow_fields() {
  if (!fields_of_flows) fields_of_flows.emplace(shared->obj, flows());
  return *fields_of_flows;
}

std::string Tracer::Impl::why_off(const bpf_program* program) const {
  const auto off = snapshot_off.find(bpf_program__name(program));
  return off != snapshot_off.end() ? off->second : "the program is not loaded";
}

template <typename Record>
Result<void> Tracer::Impl::read_iterator(bpf_program* program, const Tracer::OnRecord& record) {
  if (bpf_program__fd(program) < 0) return failure("take the snapshot", why_off(program));
  Link link(bpf_program__attach_iter(program, nullptr));
  if (!link) return failure("take the snapshot", std::strerror(errno));
  const UniqueFd iterator(bpf_iter_create(bpf_link__fd(link.get())));
  if (!iterator.valid()) return failure("take the snapshot", std::strerror(errno));
  std::vector<std::byte> bytes(sizeof(Record) * 512);
  std::size_t have = 0;
  for (;;) {
    const ssize_t got = read(iterator.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return failure("read the snapshot", std::strerror(errno));
    if (got == 0) return {};
    have += static_cast<std::size_t>(got);
    std::size_t done = 0;
    for (; have - done >= sizeof(Record); done += sizeof(Record))
      record(std::span(bytes).subspan(done, sizeof(Record)));
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.begin() + static_cast<std::ptrdiff_t>(have),
              bytes.begin());
    have -= done;
  }
}

Result<std::uint32_t> Tracer::Impl::run(const bpf_program* program) {
  if (bpf_program__fd(program) < 0) return failure("go over the maps", why_off(program));
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0)
    return failure("go over the maps", std::strerror(errno));
  return options.retval;
}

template <typename Record>
void Tracer::Impl::read_or_notice(bpf_program* program, const Tracer::OnRecord& record, const char* lost) {
  if (auto ok = read_iterator<Record>(program, record); !ok) notice(lost + (": " + ok.error().message()));
}

Result<void> Tracer::list_sockets(const OnRecord& record) {
  return impl_->read_iterator<tw_socket>(impl_->snapshot->progs.snapshot_tcp, record);
}

Result<void> Tracer::list_owners(const OnRecord& record) {
  return impl_->read_iterator<tw_owner>(impl_->snapshot->progs.snapshot_owners, record);
}

void Tracer::snapshot_sockets(const OnRecord& record) {
  if (!impl_->settings.kernel) return impl_->read_flows(Impl::Flows::of_sockets, record);
  if (!impl_->snapshot) return;
  // What has not been reported by then is no socket any more.
  const tw_socket all = socket_record(impl_->kernel_ns(), impl_->config.netns);
  if (auto ok = list_sockets(record); !ok) {
    impl_->notice("connections without an event of their own are not known: " + ok.error().message());
    return;
  }
  record(std::as_bytes(std::span(&all, 1)));
}

void Tracer::snapshot_owners(const OnRecord& record) {
  if (!impl_->snapshot) return;
  impl_->read_or_notice<tw_owner>(impl_->snapshot->progs.snapshot_owners, record,
                                  "owners of existing connections are not known");
}

void Tracer::snapshot_close_wait_owners(const OnRecord& record) {
  if (!impl_->snapshot) return;
  impl_->read_or_notice<tw_owner>(impl_->snapshot->progs.snapshot_close_wait, record,
                                  "descriptors of sockets in CLOSE_WAIT are not known");
}

void Tracer::snapshot_fin_wait2(const OnRecord& record) {
  if (!impl_->snapshot) return;
  // What is not in the list has left that state by then.
  tw_socket all = socket_record(impl_->kernel_ns(), impl_->config.netns);
  all.cb.state = static_cast<__u8>(TcpState::fin_wait2);
  if (auto ok = impl_->read_iterator<tw_socket>(impl_->snapshot->progs.snapshot_fin_wait2, record); !ok) {
    impl_->notice("sockets in FIN_WAIT2 are not known: " + ok.error().message());
    return;
  }
  record(std::as_bytes(std::span(&all, 1)));
}

void Tracer::sample_sockets(const OnRecord& record) {
  if (!impl_->snapshot) return;
  impl_->read_or_notice<tw_sample>(impl_->snapshot->progs.snapshot_samples, record, "open connections are not sampled");
}

void Tracer::snapshot_hops(const OnRecord& record) { impl_->read_flows(Impl::Flows::hops, record); }

void Tracer::Impl::read_flows(Flows which, const OnRecord& record) {
  std::vector<std::byte> entry;
  tw_tuple key{};
  // A key that is gone by now begins anew: no more than there can be.
  std::uint32_t left = bpf_map__max_entries(flows());
  for (const void* before = nullptr; left != 0; --left, before = &key) {
    if (bpf_map_get_next_key(bpf_map__fd(flows()), before, &key) != 0) return;
    if (!find_flow(key, entry) || flow_fields().hop(entry) != (which == Flows::hops)) continue;
    const tw_socket found = flow_record(key, entry);
    if (found.wire.segs_in != 0 || found.wire.segs_out != 0) record(std::as_bytes(std::span(&found, 1)));
  }
}

tw_socket Tracer::Impl::flow_record(const tw_tuple& key, std::span<const std::byte> entry) {
  tw_socket found = socket_record(kernel_ns(), config.netns);
  found.tuple = key;
  found.wire = flow_fields().wire(entry);
  found.loss = flow_fields().loss(entry);
  found.has_wire = 1;
  return found;
}

void Tracer::release_digests(Release which) {
  if (impl_->config.digests == TW_DIGESTS_NONE || !impl_->snapshot || !impl_->kernel) return;
  const auto run_to_the_end = [&](const bpf_program* program) {
    for (;;) {
      const auto more = impl_->run(program);
      if (!more) impl_->notice("what the kernel holds back of connections does not come: " + more.error().message());
      if (!more || *more == 0) return;
    }
  };
  const auto& programs = impl_->snapshot->progs;
  run_to_the_end(which == Release::old ? programs.release_old : programs.release_all);
  if (which == Release::all && impl_->config.digests == TW_DIGESTS) run_to_the_end(programs.release_openings);
}

void Tracer::count_ports(const PortsQuestion& question, const OnRecord& record) {
  if (!impl_->snapshot) return;
  snapshot_bpf& snapshot = *impl_->snapshot;
  tw_ports_question asked{};
  std::memcpy(asked.remote_addr, question.remote.address.bytes.data(), sizeof(asked.remote_addr));
  asked.remote_port = question.remote.port;
  asked.netns = question.netns;
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(bpf_map__fd(snapshot.maps.ports_question), &zero, &asked, BPF_ANY) != 0) return;
  PortCount count(question);
  const auto port = [&](std::span<const std::byte> bytes) { count.port(bytes); };
  const auto owner = [&](std::span<const std::byte> bytes) { count.owner(bytes); };
  auto ok = impl_->read_iterator<tw_port_seen>(snapshot.progs.snapshot_ports, port);
  if (ok) ok = impl_->read_iterator<tw_owner>(snapshot.progs.snapshot_port_owners, owner);
  if (!ok) {
    impl_->notice("who has the local ports is not known: " + ok.error().message());
    return;
  }
  const tw_ports found = count.result(impl_->kernel_ns());
  record(std::as_bytes(std::span(&found, 1)));
}

std::uint64_t Tracer::skipped_runs() {
  if (!impl_->kernel) return 0;
  std::uint64_t skipped = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->kernel->obj) {
    // A miss of a second program costs nothing: where the first one missed too, that stands for both.
    if (std::string_view(bpf_program__name(program)).ends_with("_again")) continue;
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    const int fd = bpf_program__fd(program);
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0) skipped += info.recursion_misses;
  }
  if (skipped == 0) return 0;
  // The second programs saw to what the first were skipped for; that is counted later than the miss.
  std::uint64_t again = 0;
  for (const CpuCounts& cpu : cpu_counts()) again += cpu.again;
  impl_->skipped = std::max(impl_->skipped, skipped - std::min(skipped, again));
  return impl_->skipped;
}

void Tracer::count_hops(const std::vector<Flow>& hops, const OnRecord& record) const {
  if (hops.empty()) return;
  std::vector<std::byte> entry;
  for (const Flow& hop : hops) {
    const tw_tuple key = to_tuple(hop);
    if (!impl_->find_flow(key, entry)) continue;
    const tw_socket found = impl_->flow_record(key, entry);
    record(std::as_bytes(std::span(&found, 1)));
  }
}

void Tracer::delete_flows(const std::vector<FlowToDelete>& hops) {
  if (hops.empty()) return;
  const FlowFields& fields = impl_->flow_fields();
  std::vector<std::byte> entry;
  const auto anothers = [&](const std::optional<std::uint32_t>& its, bool out) {
    const auto isn = fields.isn(entry, out);
    return isn && isn != its;
  };
  for (const FlowToDelete& hop : hops) {
    const tw_tuple key = to_tuple(hop.key);
    if (!impl_->find_flow(key, entry)) continue;
    const tw_wire_counters wire = fields.wire(entry);
    // A SYN begins the counters anew, with a number of its own.
    if (std::uint64_t{wire.segs_in} + wire.segs_out < hop.segments) continue;
    if (anothers(hop.isn_in, false) || anothers(hop.isn_out, true)) continue;
    if (bpf_map_delete_elem(bpf_map__fd(impl_->flows()), &key) == 0) ++impl_->flows_forgotten;
  }
}

std::uint64_t Tracer::evicted_flows() const {
  std::uint64_t added = 0;
  std::uint64_t removed = impl_->flows_forgotten;
  for (const CpuCounts& cpu : cpu_counts()) {
    added += cpu.flows_added;
    removed += cpu.flows_removed;
  }
  const std::uint64_t kept = added - std::min(added, removed);
  if (kept == 0) return 0;
  const int flows = bpf_map__fd(impl_->flows());
  tw_tuple key{};
  std::uint64_t present = 0;
  for (const void* before = nullptr; present < kept && bpf_map_get_next_key(flows, before, &key) == 0; ++present)
    before = &key;
  return kept - present;
}

std::vector<CpuCounts> Tracer::cpu_counts() const {
  const int cpus = libbpf_num_possible_cpus();
  std::vector<tw_cpu_state> states(cpus > 0 ? static_cast<std::size_t>(cpus) : 0);
  const std::uint32_t zero = 0;
  std::vector<CpuCounts> counts;
  if (bpf_map_lookup_elem(bpf_map__fd(impl_->cpu_states()), &zero, states.data()) != 0) return counts;
  counts.reserve(states.size());
  for (const tw_cpu_state& state : states)
    counts.push_back({state.tried, state.lost, state.flows_added, state.flows_removed, state.flows_full, state.again});
  return counts;
}

}  // namespace tcpwitness

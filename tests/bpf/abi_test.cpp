// SPDX-License-Identifier: Apache-2.0
// abi_test.cpp: clang for BPF and the C++ compiler have laid out the same records.
//
// From the loaded objects, not from the header: sizes and offsets of the shared types that their BTF
// holds (clang leaves out types that no map, global or function mentions), and the size at which each
// program reserves or writes its record, read from its instructions.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <set>
#include <span>

#include "bpf/objects.hpp"
#include "bpf/wire_program.hpp"

namespace tcpwitness::wire_test {
namespace {

struct BtfFree {
  void operator()(btf* types) const { btf__free(types); }
};
using Btf = std::unique_ptr<btf, BtfFree>;

// The kernel's own copy of the object's types.
Btf loaded_types(const bpf_object* object) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (bpf_program__fd(program) < 0) continue;
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0)
      return Btf(btf__load_from_kernel_by_id(info.btf_id));
  }
  return {};
}

struct Layout {
  std::size_t size;
  std::map<std::string, std::size_t> offsets;
};

#define TW_AT(type, field) {#field, offsetof(type, field)}

const std::map<std::string, Layout>& records() {
  static const std::map<std::string, Layout> all{
      {"tw_tuple", {sizeof(tw_tuple), {TW_AT(tw_tuple, remote_addr), TW_AT(tw_tuple, local_port)}}},
      {"tw_header",
       {sizeof(tw_header),
        {TW_AT(tw_header, cookie), TW_AT(tw_header, seq), TW_AT(tw_header, lost), TW_AT(tw_header, netns),
         TW_AT(tw_header, cpu), TW_AT(tw_header, kind), TW_AT(tw_header, version)}}},
      {"tw_control_block",
       {sizeof(tw_control_block),
        {TW_AT(tw_control_block, snd_una), TW_AT(tw_control_block, user_timeout_ms), TW_AT(tw_control_block, sk_err),
         TW_AT(tw_control_block, state), TW_AT(tw_control_block, flags)}}},
      {"tw_actor", {sizeof(tw_actor), {TW_AT(tw_actor, exit_code), TW_AT(tw_actor, comm), TW_AT(tw_actor, flags)}}},
      {"tw_socket_view",
       {sizeof(tw_socket_view),
        {TW_AT(tw_socket_view, syn_qlen), TW_AT(tw_socket_view, type), TW_AT(tw_socket_view, ca_state),
         TW_AT(tw_socket_view, keepalive_intvl_ms)}}},
      {"tw_wire_counters",
       {sizeof(tw_wire_counters), {TW_AT(tw_wire_counters, segs_in), TW_AT(tw_wire_counters, retrans_bytes_out)}}},
      {"tw_loss_counters", {sizeof(tw_loss_counters), {TW_AT(tw_loss_counters, stall_ms)}}},
      {"tw_state", {sizeof(tw_state), {TW_AT(tw_state, actor), TW_AT(tw_state, cb), TW_AT(tw_state, new_state)}}},
      {"tw_segment",
       {sizeof(tw_segment),
        {TW_AT(tw_segment, tuple), TW_AT(tw_segment, socket), TW_AT(tw_segment, wire), TW_AT(tw_segment, ifindex),
         TW_AT(tw_segment, seq), TW_AT(tw_segment, ack), TW_AT(tw_segment, len), TW_AT(tw_segment, ts_val),
         TW_AT(tw_segment, window), TW_AT(tw_segment, event_flags), TW_AT(tw_segment, vlan_id),
         TW_AT(tw_segment, flags), TW_AT(tw_segment, loss), TW_AT(tw_segment, wscale), TW_AT(tw_segment, segments)}}},
      {"tw_retransmit",
       {sizeof(tw_retransmit),
        {TW_AT(tw_retransmit, cb), TW_AT(tw_retransmit, err), TW_AT(tw_retransmit, num_timeout),
         TW_AT(tw_retransmit, segments)}}},
      {"tw_reset",
       {sizeof(tw_reset),
        {TW_AT(tw_reset, actor), TW_AT(tw_reset, reason), TW_AT(tw_reset, direction), TW_AT(tw_reset, skb_flags)}}},
      {"tw_error", {sizeof(tw_error), {TW_AT(tw_error, cb)}}},
      {"tw_destroy",
       {sizeof(tw_destroy), {TW_AT(tw_destroy, has_wire), TW_AT(tw_destroy, wire), TW_AT(tw_destroy, times)}}},
      {"tw_owner", {sizeof(tw_owner), {TW_AT(tw_owner, actor), TW_AT(tw_owner, source)}}},
      {"tw_socket", {sizeof(tw_socket), {TW_AT(tw_socket, type), TW_AT(tw_socket, cb)}}},
      {"tw_sample",
       {sizeof(tw_sample),
        {TW_AT(tw_sample, delivery_rate), TW_AT(tw_sample, snd_ssthresh), TW_AT(tw_sample, mss),
         TW_AT(tw_sample, app_limited)}}},
      {"tw_cpu_state", {sizeof(tw_cpu_state), {TW_AT(tw_cpu_state, lost_by_kind), TW_AT(tw_cpu_state, flows_full)}}},
      {"tw_host", {sizeof(tw_host), {TW_AT(tw_host, prefix_bits)}}},
      {"tw_config",
       {sizeof(tw_config), {TW_AT(tw_config, ports), TW_AT(tw_config, some_hosts), TW_AT(tw_config, packets_all)}}},
  };
  return all;
}

using Abi = BpfTest;

TEST_F(Abi, TheLoadedObjectsLayOutEveryRecordAsTheConsumerDoes) {
  const auto objects = load_objects({});
  ASSERT_TRUE(objects) << objects.error().message();
  std::map<std::string, int> found;
  for (const auto& object : *objects) {
    const Btf types = loaded_types(object.object.get());
    ASSERT_TRUE(types) << object.name;
    for (const auto& [name, layout] : records()) {
      SCOPED_TRACE(fmt::format("{} in {}", name, object.name));
      const auto id = btf__find_by_name_kind(types.get(), name.c_str(), BTF_KIND_STRUCT);
      if (id < 0) continue;  // not used by this object
      found[name]++;
      const btf_type* type = btf__type_by_id(types.get(), static_cast<std::uint32_t>(id));
      EXPECT_EQ(type->size, layout.size);
      std::map<std::string, std::size_t> offsets;
      for (std::uint32_t i = 0; i < btf_vlen(type); i++)
        offsets[btf__name_by_offset(types.get(), btf_members(type)[i].name_off)] = btf_member_bit_offset(type, i) / 8;
      for (const auto& [field, offset] : layout.offsets) {
        ASSERT_TRUE(offsets.contains(field)) << field;
        EXPECT_EQ(offsets[field], offset) << field;
      }
    }
  }
  // What maps and rodata hold must be there: without it this test would compare nothing.
  for (const char* name :
       {"tw_tuple", "tw_wire_counters", "tw_loss_counters", "tw_socket_view", "tw_cpu_state", "tw_host", "tw_config"})
    EXPECT_GT(found[name], 0) << name << " is in no object";
}

// The constant that `argument` (r1, r2, ...) has at each call of `helper`.
std::vector<std::int32_t> constants_passed(const bpf_program* program, std::int32_t helper, int argument) {
  const std::span instructions(bpf_program__insns(program), bpf_program__insn_cnt(program));
  std::vector<std::int32_t> passed;
  for (std::size_t at = 0; at < instructions.size(); at++) {
    if (instructions[at].code != (BPF_JMP | BPF_CALL) || instructions[at].src_reg != 0 ||
        instructions[at].imm != helper)
      continue;
    for (std::size_t before = at; before-- > 0;) {
      const bpf_insn& one = instructions[before];
      if (one.dst_reg != argument || (BPF_CLASS(one.code) != BPF_ALU64 && BPF_CLASS(one.code) != BPF_ALU)) continue;
      if (BPF_OP(one.code) == BPF_MOV && BPF_SRC(one.code) == BPF_K) passed.push_back(one.imm);
      break;
    }
  }
  return passed;
}

TEST_F(Abi, EveryProgramReservesItsRecordAtItsOwnSize) {
  const auto objects = load_objects({});
  ASSERT_TRUE(objects) << objects.error().message();
  constexpr std::size_t known_at_load = 0;
  const std::map<std::string, std::size_t> sizes{
      {"kernel_state", sizeof(tw_state)},
      {"kernel_state_again", sizeof(tw_state)},
      {"kernel_retransmit", sizeof(tw_retransmit)},
      {"kernel_retransmit_synack", sizeof(tw_retransmit)},
      {"kernel_send_reset", sizeof(tw_reset)},
      {"kernel_receive_reset", sizeof(tw_reset)},
      {"kernel_error", sizeof(tw_error)},
      {"kernel_destroy", sizeof(tw_destroy)},
      {"kernel_destroy_again", sizeof(tw_destroy)},
      {"kernel_drop", sizeof(tw_drop)},
      {"kernel_icmp_sent", sizeof(tw_icmp)},
      {"kernel_owner_send", sizeof(tw_owner)},
      {"kernel_owner_receive", sizeof(tw_owner)},
      {"kernel_owner_receive_old", sizeof(tw_owner)},
      // Known at load only: what is kept of a frame comes behind the segment. Every record that the other tests take
      // out of the ring is checked for its size.
      {"wire_egress", known_at_load},
      {"wire_egress_ip", known_at_load},
      {"wire_ingress", known_at_load},
      {"wire_ingress_ip", known_at_load},
      {"wire_xdp", known_at_load},
      {"wire_xdp_ip", known_at_load},
      {"snapshot_tcp", sizeof(tw_socket)},
      {"snapshot_samples", sizeof(tw_sample)},
      {"snapshot_owners", sizeof(tw_owner)},
      {"snapshot_close_wait", sizeof(tw_owner)},
      {"snapshot_fin_wait2", sizeof(tw_socket)},
      {"snapshot_ports", sizeof(tw_port_seen)},
      {"snapshot_port_owners", sizeof(tw_owner)},
      {"release_old", sizeof(tw_digest)},
      {"release_all", sizeof(tw_digest)},
      {"release_openings", sizeof(tw_segment)},
  };
  // What was held back goes before any record: a socket's digest, or the SYN that a listener has not answered yet.
  const std::set<std::size_t> before{sizeof(tw_digest), sizeof(tw_segment)};
  // Behind the last transition of a socket that its process keeps.
  const auto behind = [](const std::string& name, std::size_t bytes) {
    return name.starts_with("kernel_state") && bytes == sizeof(tw_socket);
  };
  std::size_t programs = 0;
  for (const auto& object : *objects) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.object.get()) {
      const std::string name = bpf_program__name(program);
      SCOPED_TRACE(name);
      ASSERT_TRUE(sizes.contains(name));
      programs++;
      if (sizes.at(name) == known_at_load) continue;
      const bool iterator = name.starts_with("snapshot");
      const auto passed = iterator ? constants_passed(program, BPF_FUNC_seq_write, 3)
                                   : constants_passed(program, BPF_FUNC_ringbuf_reserve, 2);
      ASSERT_GT(passed.size(), 0U);
      std::size_t own = 0;
      for (const std::int32_t size : passed) {
        const auto bytes = static_cast<std::size_t>(size);
        if (bytes == sizes.at(name)) ++own;
        EXPECT_TRUE(bytes == sizes.at(name) || (!iterator && before.contains(bytes)) || behind(name, bytes)) << bytes;
      }
      EXPECT_GT(own, 0U);
    }
  }
  EXPECT_EQ(programs, sizes.size());
}

}  // namespace
}  // namespace tcpwitness::wire_test

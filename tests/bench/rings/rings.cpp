// SPDX-License-Identifier: Apache-2.0
// rings.cpp: what one ring buffer costs many processors, beside a ring for each.
//
//   tw_rings
//
// Producers, each on a processor of its own, run an XDP program that reserves a record as large as a digest, writes to
// each of its cache lines and submits it (BPF_PROG_TEST_RUN; no packet is sent anywhere). Nobody reads: a ring has room
// for all. Prints JSON: for 1, 2, 4... producers the time of one record with one ring, with a ring each, and without a
// ring (the run itself).
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "tcpwitness/event_abi.h"

namespace {

constexpr int record_bytes = sizeof(tw_digest);
constexpr std::uint32_t ring_bytes = 256U << 20U;  // of all together
constexpr int records_of_all = 240'000;            // of 864 bytes with their header: 207 MB
constexpr int rounds = 5;

bpf_insn instruction(int code, int to, int from, int offset, int value) {
  bpf_insn one{};
  one.code = static_cast<__u8>(code);
  one.dst_reg = static_cast<__u8>(to & 15);
  one.src_reg = static_cast<__u8>(from & 15);
  one.off = static_cast<__s16>(offset);
  one.imm = value;
  return one;
}

// The descriptor of the program, or -errno. ring: -1 for none.
int load(int ring) {
  constexpr int set = BPF_ALU64 | BPF_MOV | BPF_K, copy = BPF_ALU64 | BPF_MOV | BPF_X, call = BPF_JMP | BPF_CALL;
  constexpr int line = 64;
  std::vector<bpf_insn> code;
  const auto add = [&](int op, int to, int from, int offset, int value) {
    code.push_back(instruction(op, to, from, offset, value));
  };
  if (ring >= 0) {
    add(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring);
    add(0, 0, 0, 0, 0);
    add(set, BPF_REG_2, 0, 0, record_bytes);
    add(set, BPF_REG_3, 0, 0, 0);
    add(call, 0, 0, 0, BPF_FUNC_ringbuf_reserve);
    add(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0);
    add(set, BPF_REG_0, 0, 0, XDP_DROP);  // it was full
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    for (int at = 0; at + 8 <= record_bytes; at += line) add(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_0, 0, at, 1);
    add(copy, BPF_REG_1, BPF_REG_0, 0, 0);
    add(set, BPF_REG_2, 0, 0, BPF_RB_NO_WAKEUP);
    add(call, 0, 0, 0, BPF_FUNC_ringbuf_submit);
  }
  add(set, BPF_REG_0, 0, 0, XDP_PASS);
  add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  return bpf_prog_load(BPF_PROG_TYPE_XDP, "record", "GPL", code.data(), code.size(), nullptr);
}

int fail(const char* what) {
  std::fprintf(stderr, "tw_rings: %s: %s\n", what, std::strerror(errno));
  return 1;
}

// One producer. False: it could not run, or its ring was full.
bool produce(int program, unsigned processor, int records, const std::atomic<bool>& begin, double& ns) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  std::array<char, 64> packet{};
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = packet.data();
  options.data_size_in = packet.size();
  options.repeat = records;
  if (sched_setaffinity(0, sizeof only, &only) != 0) return false;
  while (!begin.load(std::memory_order_acquire)) {
  }
  const bool ran = bpf_prog_test_run_opts(program, &options) == 0 && options.retval == XDP_PASS;
  ns = options.duration;  // of one run, on average
  return ran;
}

// ns of one record, the slowest producer's; below 0: it went wrong.
double measure(unsigned producers, bool with_rings, bool shared) {
  std::vector<int> rings, programs;
  for (unsigned i = 0; i < producers; ++i) {
    if (with_rings && (rings.empty() || !shared))
      rings.push_back(
          bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, shared ? ring_bytes : ring_bytes / producers, nullptr));
    programs.push_back(load(with_rings ? rings.back() : -1));
    if ((with_rings && rings.back() < 0) || programs.back() < 0) return -1;
  }
  std::atomic<bool> begin{false}, good{true};
  std::vector<double> ns(producers, 0);
  std::vector<std::thread> threads;
  const int each = records_of_all / static_cast<int>(producers);
  for (unsigned i = 0; i < producers; ++i) {
    threads.emplace_back([&, i] {
      if (!produce(programs[i], i, each, begin, ns[i])) good = false;
    });
  }
  usleep(20'000);
  begin.store(true, std::memory_order_release);
  for (auto& thread : threads) thread.join();
  for (const int fd : programs) close(fd);
  for (const int fd : rings) close(fd);
  return good ? *std::ranges::max_element(ns) : -1;
}

double median(unsigned producers, bool with_rings, bool shared) {
  std::array<double, rounds> all{};
  for (double& one : all) one = measure(producers, with_rings, shared);
  std::ranges::sort(all);
  return all.front() < 0 ? -1 : all[rounds / 2];
}

}  // namespace

int main() {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  const auto processors = static_cast<unsigned>(sysconf(_SC_NPROCESSORS_ONLN));
  std::printf("[");
  for (unsigned producers = 1; producers <= processors; producers *= 2) {
    const double run = median(producers, false, false);
    const double one = median(producers, true, true);
    const double each = median(producers, true, false);
    if (run < 0 || one < 0 || each < 0) return fail("run the programs");
    std::printf("%s{\"producers\": %u, \"one_ring_ns\": %.0f, \"ring_each_ns\": %.0f, \"run_ns\": %.0f}",
                producers == 1 ? "" : ",\n ", producers, one, each, run);
  }
  std::printf("]\n");
  return 0;
}

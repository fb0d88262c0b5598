// SPDX-License-Identifier: Apache-2.0
#include "capture/program_reads.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <span>
#include <tuple>
#include <utility>

namespace tcpwitness {
namespace {

// What a register holds, as far as it matters.
enum class Holds : std::uint8_t { other, version_byte, version, fragment, next_header };

// Follows a program from its beginning on every way that a whole TCP segment can take.
class Reads {
 public:
  explicit Reads(const bpf_program& program) : code_(program.bf_insns, program.bf_len) {}

  // What it reads that is not of the connection; empty: nothing.
  std::string beyond() {
    follow(0, 0, Holds::other);
    return beyond_;
  }

 private:
  static constexpr std::uint32_t tcp = 6;           // of IP's protocol or next header
  static constexpr std::uint32_t behind_ipv6 = 40;  // where TCP begins

  void follow(std::size_t at, unsigned family, Holds a) {
    for (; at < code_.size() && beyond_.empty(); ++at) {
      if (!seen_.emplace(at, family, a).second) return;
      const bpf_insn& one = code_[at];
      switch (BPF_CLASS(one.code)) {
        case BPF_LD:
          a = load(at, family);
          break;
        case BPF_LDX:
          load_index(at);
          break;
        case BPF_ALU:
          a = a == Holds::version_byte && one.code == (BPF_ALU | BPF_AND | BPF_K) && one.k == 0xf0 ? Holds::version
                                                                                                   : Holds::other;
          break;
        case BPF_JMP:
          return jump(at, family, a);
        case BPF_RET:
          return;
        default:
          if (BPF_CLASS(one.code) == BPF_MISC) a = Holds::other;
          break;
      }
    }
  }

  void jump(std::size_t at, unsigned family, Holds a) {
    const bpf_insn& one = code_[at];
    const auto yes = [&](unsigned then) { follow(at + 1 + one.jt, then, a); };
    const auto no = [&] { follow(at + 1 + one.jf, family, a); };
    if (BPF_OP(one.code) == BPF_JA) return follow(at + 1 + one.k, family, a);
    const bool equal = BPF_OP(one.code) == BPF_JEQ && BPF_SRC(one.code) == BPF_K;
    if (equal && a == Holds::version) {
      const unsigned asked = one.k == 0x40 ? 4 : one.k == 0x60 ? 6 : 0;
      if (asked != 0 && (family == 0 || family == asked)) yes(asked);
      if (asked == 0 || family != asked) no();
      return;
    }
    if (equal && a == Holds::next_header) return one.k == tcp ? yes(family) : no();
    if (BPF_OP(one.code) == BPF_JSET && a == Holds::fragment) return no();
    yes(family);
    no();
  }

  Holds load(std::size_t at, unsigned family) {
    const bpf_insn& one = code_[at];
    const auto size = BPF_SIZE(one.code);
    const auto is = [&](auto mode, auto of) { return BPF_MODE(one.code) == mode && size == of; };
    if (BPF_MODE(one.code) == BPF_IMM || BPF_MODE(one.code) == BPF_MEM) return Holds::other;
    if (BPF_MODE(one.code) == BPF_LEN) return refuse("the length of a packet");
    // linux/filter.h: SKF_AD_OFF and below, in 32 bits. It is no part of a packet, but of how it came.
    constexpr std::uint32_t of_passage = 0xffff'f000;
    if (BPF_MODE(one.code) == BPF_ABS && one.k >= of_passage) return refuse("the direction or interface of a packet");
    const bool next_masks = at + 1 < code_.size() && code_[at + 1].code == (BPF_ALU | BPF_AND | BPF_K);
    if (is(BPF_ABS, BPF_B) && one.k == 0 && next_masks && code_[at + 1].k == 0xf0) return Holds::version_byte;
    if (family != 6) {
      if (is(BPF_ABS, BPF_B) && one.k == 9) return Holds::next_header;
      if (is(BPF_ABS, BPF_W) && (one.k == 12 || one.k == 16)) return Holds::other;
      if (is(BPF_IND, BPF_H) && (one.k == 0 || one.k == 2)) return Holds::other;
      const bool tests = at + 1 < code_.size() && code_[at + 1].code == (BPF_JMP | BPF_JSET | BPF_K);
      if (is(BPF_ABS, BPF_H) && one.k == 6 && tests && code_[at + 1].k == 0x1fff) return Holds::fragment;
    }
    if (family != 4) {
      if (is(BPF_ABS, BPF_B) && one.k == 6) return Holds::next_header;
      if (is(BPF_ABS, BPF_W) && one.k >= 8 && one.k <= 36 && one.k % 4 == 0) return Holds::other;
      if (is(BPF_ABS, BPF_H) && (one.k == behind_ipv6 || one.k == behind_ipv6 + 2)) return Holds::other;
    }
    return refuse(
        fmt::format("byte {} {}", one.k, BPF_MODE(one.code) == BPF_IND ? "of the TCP header" : "of the packet"));
  }

  void load_index(std::size_t at) {
    const bpf_insn& one = code_[at];
    const bool header_length = BPF_MODE(one.code) == BPF_MSH && one.k == 0;
    const bool constant = BPF_MODE(one.code) == BPF_IMM || BPF_MODE(one.code) == BPF_MEM;
    if (!header_length && !constant) refuse("the length of a packet");
  }

  Holds refuse(std::string what) {
    if (beyond_.empty()) beyond_ = std::move(what);
    return Holds::other;
  }

  std::span<const bpf_insn> code_;
  std::set<std::tuple<std::size_t, unsigned, Holds>> seen_;
  std::string beyond_;
};

}  // namespace

std::string read_beyond_connection(const bpf_program& program) { return Reads(program).beyond(); }

}  // namespace tcpwitness

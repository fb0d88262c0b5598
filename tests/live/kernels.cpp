// SPDX-License-Identifier: Apache-2.0
//
// A witness that this kernel does not let us have: reported in one sentence, and all else is as without it. Forced here
// by TCPWITNESS_WITHOUT; on an old kernel (scripts/vm) it is so.

#include <algorithm>

#include "live/abilities.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

size_t lines(const std::string& text) { return static_cast<size_t>(std::ranges::count(text, '\n')); }

// Nothing of what a verifier writes.
void expect_plain(const std::string& text) {
  for (const char* word : {"processed", "insns", "R0", "CO-RE", "libbpf", "prog '"}) {
    EXPECT_EQ(text.find(word), std::string::npos) << word << " in: " << text;
  }
}

void expect_missing(const Printed& printed, const std::string& witness, const std::string& why) {
  std::vector<Json> off;
  for (const Json& hook : printed.hooks()) {
    if (hook["target"].get<std::string>().empty()) off.push_back(hook);
    const std::string name = hook["name"];
    const bool of_wire = name.starts_with("wire");
    const bool of_both = name.starts_with("icmp_");  // ICMP errors, whichever is left
    if (!hook["target"].get<std::string>().empty() && !of_both) {
      EXPECT_EQ(of_wire, witness == "kernel") << hook.dump();
    }
  }
  ASSERT_EQ(off.size(), 1u);
  EXPECT_EQ(off[0]["name"], witness);
  EXPECT_EQ(off[0]["mode"], "off");
  EXPECT_EQ(off[0]["why"], why);
  EXPECT_EQ(printed.summary()["missing"], Json::array({{{"witness", witness}, {"why", why}}}));
}

}  // namespace

class Kernels : public Live {
 protected:
  void expect_wire_alone(const std::string& without, const std::string& why);
};

void Kernels::expect_wire_alone(const std::string& without, const std::string& why) {
  const auto story = play("handshake", {.through = {"TCPWITNESS_WITHOUT=" + without}});
  if (!story) return;
  expect_missing(story->client, "kernel", why);
  for (const Json& life : {story->client_life(), story->server_life()}) {
    ASSERT_FALSE(life.empty());
    EXPECT_EQ(life["outcome"], "completed") << "and not open: its FINs were seen";
    EXPECT_EQ(life["witnesses"], Json({"wire"}));
    EXPECT_TRUE(life["pid"].is_null());
    EXPECT_EQ(life["incomplete"], false);
  }
  EXPECT_EQ(story->client_life()["states"].get<Words>(), active_states);
}

TEST_F(Kernels, WithoutTransitionsItIsAsWithKernelOff) {
  expect_wire_alone("tracepoint:inet_sock_set_state", "this kernel has no such tracepoint");
}

TEST_F(Kernels, TransitionsThatCannotBeAttachedAreNoOtherMatter) {
  expect_wire_alone("attach:kernel_state", "its hook for transitions cannot be attached: a test forbids it");
}

// A life needs no timeline: the wire programs leave out what only names a cause, where the kernel reports the
// transition.
TEST_F(Kernels, ALifeOfTheWireAloneEndsToo) {
  auto watch = Watch::start(lab().client_ns(), {}, {"TCPWITNESS_WITHOUT=tracepoint:inet_sock_set_state"}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  EXPECT_NE(watch->err().find("; without the kernel: this kernel has no such tracepoint;"), std::string::npos)
      << watch->err();
  const auto played = lab::Performance::open(lab(), *lab::find_case("handshake"), {});
  ASSERT_TRUE(played) << played.error();
  ASSERT_TRUE((*played)->finish());
  lab::pause_for(Millis(300));
  const Printed printed = keep("life", watch->stop());
  ASSERT_EQ(printed.of("life").size(), 1u);
  EXPECT_EQ(printed.of("life")[0]["outcome"], "completed");
}

TEST_F(Kernels, WithoutTheWireItIsAsWithWireNone) {
  const auto story = play("handshake", {.through = {"TCPWITNESS_WITHOUT=load:wire_egress"}});
  if (!story) return;
  expect_missing(story->client, "wire", "a test forbids it");
  EXPECT_TRUE(story->client.of("segment").empty());
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_EQ(mine["outcome"], "completed");
  EXPECT_EQ(mine["witnesses"], Json({"kernel"}));
  EXPECT_EQ(mine["pid"], story->played.client.pid);
}

// A kernel may lack a field that is no evidence: what it gave is not reported, the rest is as ever.
TEST_F(Kernels, WithoutTheFieldsThatMayBeMissingALifeIsTheSame) {
  const std::string hidden =
      "field:tcp_sock.srtt_us,field:tcp_sock.snd_cwnd,field:tcp_sock.segs_in,field:tcp_sock.segs_out,"
      "field:tcp_sock.dsack_dups,field:tcp_sock.rtt_min,field:tcp_sock.nonagle,field:tcp_sock.linger2,"
      "field:sock.sk_lingertime,field:local_ports.range,field:netns_ipv4.sysctl_tcp_syncookies,"
      "field:tcp_timewait_sock.tw_rcv_wnd";
  const auto story = play("handshake", {.through = {"TCPWITNESS_WITHOUT=" + hidden}});
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
  EXPECT_FALSE(story->client_life().contains("srtt_us"));
}

TEST_F(Kernels, WithoutTheTimersOfKeepalivesTheyAreKeepalivesStill) {
  const auto story = play("keepalive-answered", {.through = {"TCPWITNESS_WITHOUT=field:tcp_sock.keepalive_intvl"}});
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_EQ(story->client.findings(mine["conn"], "keepalive").size(), 1u);
  for (const Json& entry : story->client.of("keepalive", mine["conn"])) {
    EXPECT_EQ(entry.value("probes", 0), 0) << entry.dump();
  }
}

// Nothing is held back that could not be handed over.
TEST_F(Kernels, WithoutAWayOverItsMapsALifeIsTheSame) {
  auto watch = Watch::start(lab().client_ns(), {}, {"TCPWITNESS_WITHOUT=map-walk"}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto played = lab::Performance::open(lab(), *lab::find_case("handshake"), {});
  ASSERT_TRUE(played) << played.error();
  ASSERT_TRUE((*played)->finish());
  lab::pause_for(Millis(300));
  EXPECT_EQ(watch->err().find("does not come"), std::string::npos) << watch->err();
  const Printed printed = keep("life", watch->stop());
  ASSERT_EQ(printed.of("life").size(), 1u);
  EXPECT_EQ(printed.of("life")[0]["outcome"], "completed");
  EXPECT_EQ(printed.of("life")[0]["witnesses"], Json({"kernel", "wire"}));
}

TEST_F(Kernels, AFieldThatAVerdictNeedsIsNamed) {
  expect_wire_alone("field:tcp_sock.bytes_acked", "this kernel has no field tcp_sock.bytes_acked");
}

// One of the others, and not the transitions: that hook alone is off.
TEST_F(Kernels, AFieldThatOneHookNeedsCostsThatHook) {
  const auto story = play("handshake", {.through = {"TCPWITNESS_WITHOUT=field:sock.sk_err_soft"}});
  if (!story) return;
  for (const Json& hook : story->client.hooks()) {
    const bool lost = hook["name"] == "kernel_error";
    EXPECT_EQ(hook["mode"] == "off", lost) << hook.dump();
    if (lost) {
      EXPECT_NE(hook["why"].get<std::string>().find("this kernel has no field sock.sk_err_soft"), std::string::npos);
    }
  }
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
}

TEST_F(Kernels, WithoutBothThereIsOneSentenceAndNothingElse) {
  const Ended ended = run_to_end({"life", "-o", "json", "--netns", lab().client_ns()},
                                 {"TCPWITNESS_WITHOUT=tracepoint:inet_sock_set_state,load:wire_ingress"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(lines(ended.err), 1u) << ended.err;
  EXPECT_NE(ended.err.find("no kernel events: this kernel has no such tracepoint; no packets: "), std::string::npos)
      << ended.err;
}

// Not a Live: that one needs a witness.
TEST(KernelsRefused, AKernelThatLetsUsHaveNeitherIsToldSoInOneSentence) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  if (missing_witness().empty()) GTEST_SKIP() << "this kernel lets us have a witness";
  const Ended ended = run_to_end({"life", "-d", "1"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(lines(ended.err), 1u) << ended.err;
  EXPECT_NE(ended.err.find("no kernel events: this kernel has no"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("; no packets: this kernel"), std::string::npos) << ended.err;
  expect_plain(ended.err);
}

}  // namespace tcpwitness::live

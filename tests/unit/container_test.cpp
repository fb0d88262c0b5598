// SPDX-License-Identifier: Apache-2.0
// container_test.cpp: names of cgroups, in the forms that Docker, Podman, containerd, LXC and systemd make.
#include "values/container.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tcpwitness::testing {
namespace {

const std::string id(64, 'a');

TEST(Container, IsNamedByItsMakerAndTheIdThatIsListed) {
  EXPECT_EQ(container_name("/docker/" + id), "docker:aaaaaaaaaaaa");
  EXPECT_EQ(container_name("/system.slice/docker-" + id + ".scope"), "docker:aaaaaaaaaaaa");
  EXPECT_EQ(container_name("/machine.slice/libpod-" + id + ".scope/container"), "libpod:aaaaaaaaaaaa");
  EXPECT_EQ(container_name("/kubepods.slice/kubepods-pod12ab.slice/cri-containerd-" + id + ".scope"),
            "cri-containerd:aaaaaaaaaaaa");
  EXPECT_EQ(container_name("/kubepods/burstable/pod5e2f/" + id), "aaaaaaaaaaaa");
  EXPECT_EQ(container_name("/lxc.payload.web/init.scope"), "lxc:web");
  EXPECT_EQ(container_name("/lxc/web"), "lxc:web");
  EXPECT_EQ(container_name("/machine.slice/systemd-nspawn@web.service/payload"), "nspawn:web");
}

TEST(Container, OfWhatRunsInsideIsTheOutermost) {
  EXPECT_EQ(container_name("/system.slice/docker-" + id + ".scope/system.slice/nginx.service"), "docker:aaaaaaaaaaaa");
}

TEST(Container, IsAServiceOrASessionOnAHost) {
  EXPECT_EQ(container_name("/system.slice/nginx.service"), "nginx.service");
  EXPECT_EQ(container_name("/user.slice/user-1000.slice/session-3.scope"), "session-3.scope");
  EXPECT_EQ(container_name("/../../system.slice/ssh.service"), "ssh.service");
  EXPECT_EQ(container_name("/"), "/");
  EXPECT_EQ(container_name(""), "");
  EXPECT_EQ(container_name("/system.slice/deadbeef.service"), "deadbeef.service") << "eight digits are no id";
}

TEST(Container, IsOfTheUnifiedHierarchyElseOfSystemdElseOfAny) {
  EXPECT_EQ(cgroup_path("0::/system.slice/a.service\n"), "/system.slice/a.service");
  EXPECT_EQ(cgroup_path("9:name=systemd:/b\n8:pids:/c\n0::/a\n"), "/a");
  EXPECT_EQ(cgroup_path("9:name=systemd:/b\n8:pids:/c\n0::/\n"), "/b");
  EXPECT_EQ(cgroup_path("9:name=systemd:/\n4:memory:/d\n8:cpu,cpuacct:/c\n0::/\n"), "/d");
  EXPECT_EQ(cgroup_path("9:name=systemd:/\n0::/\n"), "/");
  EXPECT_EQ(cgroup_path("0::/a:b\n"), "/a:b");
  EXPECT_EQ(cgroup_path(""), "");
  EXPECT_EQ(cgroup_path("no cgroup"), "");
}

}  // namespace
}  // namespace tcpwitness::testing

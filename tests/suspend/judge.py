#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests/suspend/init printed, read from standard input: a suspend changes no verdict, no order and no duration, and times are
the wall's. Exit code 77: the machine could not be suspended, or did not wake up."""
import json
import sys

# Of an emulated machine, which is slow: what that causes is real. Two processors send for one socket: an ACK that comes behind later
# data is refused (PAWS).
REAL = {"time-wait", "late", "slow-handshake", "retransmission", "old-timestamp"}
ACTIVE = ["SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"]
ENDS = {"active": ("local", ACTIVE[-1]), "passive": ("peer", "CLOSE")}
BYTES = len("before\nafter\n")
SLACK_S = 10

lines = [line.rstrip("\r\n") for line in sys.stdin]
print("\n".join(line for line in lines if not line.startswith(("trace {", "record {", "read {"))))
skips = [line[6:] for line in lines if line.startswith("skip: ")]
if not skips and "over" not in lines:
    skips = ["the emulated machine did not wake up"] if "asleep" in lines and "awake" not in lines else []
    if not skips:
        sys.exit("the machine stopped before its program did")
if "not suspended" in lines:
    skips.append("the kernel refused to suspend")
if skips:
    print(skips[0])
    sys.exit(77)

wrong = []


def expect(what, good):
    if not good:
        wrong.append(what)


def reports(of):
    return [json.loads(line[len(of) + 1:]) for line in lines if line.startswith(of + " {")]


(ran, _, before), (ran_after, _, after) = ([float(word) for word in line.split()[1:]] for line in lines if line.startswith("clocks "))
(up, up_after) = (float(line.split()[2]) for line in lines if line.startswith("clocks "))
slept = (up_after - up) - (ran_after - ran)
expect(f"the machine slept for {slept:.1f} s only", slept > 5)

for name in ("trace", "record", "read"):
    found = [one for one in reports(name) if one["type"] == "life" and 9000 in (one["local"]["port"], one["remote"]["port"])]
    expect(f"{name}: {len(found)} lives", sorted(one["role"] for one in found) == ["active", "passive"])
    for life in found:
        closed_by, last = ENDS[life["role"]]
        of = f"{name}, {life['role']} life: "
        lasted = life["duration_ns"] / 1e9
        by_wall = (life["ts_ns"] - life["start_ts_ns"]) / 1e9
        expect(of + json.dumps(life), life["outcome"] == "completed" and life["closed_by"] == closed_by and life["states"][-1] == last and
               not life["incomplete"] and life["witnesses"] == ["kernel", "wire"] and life["tx_bytes"] == life["rx_bytes"] == BYTES)
        expect(of + f"lasted {lasted:.1f} s of {ran_after - ran:.1f}", ran_after - ran < lasted < ran_after - ran + SLACK_S)
        expect(of + f"{by_wall:.1f} s of the wall clock, {lasted:.1f} s without {slept:.1f} s of sleep", abs(by_wall - lasted - slept) < 2)
        expect(of + f"began at {life['start_ts_ns'] / 1e9}, and the wall clock was {before}", abs(life["start_ts_ns"] / 1e9 - before) < SLACK_S)
        expect(of + f"ended at {life['ts_ns'] / 1e9}, and the wall clock was {after}", abs(life["ts_ns"] / 1e9 - after) < SLACK_S)
        states = [one["to"] for one in reports(name) if one["type"] == "state" and one["conn"] == life["conn"]]
        expect(of + f"its transitions: {states}", name != "trace" or states == life["states"])
    for one in reports(name):
        expect(f"{name}: {json.dumps(one)}", one["type"] != "finding" or one["rule"] in REAL)
        expect(f"{name}: {json.dumps(one)}", one["type"] != "summary" or one["lost"] == one["unaccounted"] == one["malformed"] == 0)
    if name != "read":
        said = [line for line in lines if line.startswith(f"{name}.err tcpwitness: the machine was suspended for ")]
        expect(f"{name}: reports {len(said)} suspends", len(said) == 1)
lives = {name: [one for one in reports(name) if one["type"] == "life"] for name in ("record", "read")}
expect("what is read back is another life", lives["record"] == lives["read"])

for line in wrong:
    print("wrong: " + line)
print(f"suspended for {slept:.1f} s: " + (f"{len(wrong)} wrong" if wrong else "all right"))
sys.exit(1 if wrong else 0)

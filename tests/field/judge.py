# SPDX-License-Identifier: Apache-2.0
"""What must be reported of a situation, and what was reported.

A verdict is the existence of a connection's life, its outcome, or a finding. Expected and present: right. Expected and absent: missed.
Present and neither expected nor allowed: false. A finding surer than its ceiling is missed and false. Facts (numbers, processes,
words) are counted apart; each of them must be right, too.
"""
import dataclasses
import re

SURENESS = ["inconclusive", "likely", "certain"]

# What depends on the machine's load, not on the situation: allowed everywhere, never at certain.
LOAD = {"late": "likely"}


@dataclasses.dataclass
class Life:
    """One connection as seen from one namespace, or `count` of them that look alike."""
    remote: str | None = None  # "10.9.0.2:80", ":80" or "10.9.0.2": which life it is; of several the oldest of the named process, else the oldest
    local: str | None = None
    outcome: str | tuple | None = None  # a tuple: one of these
    findings: dict = dataclasses.field(default_factory=dict)  # rule -> the most that its confidence may be
    may: dict = dataclasses.field(default_factory=dict)  # allowed beside them, with a ceiling too
    never: tuple = ()  # regular expressions: what the story, the explanation and the findings must not say
    says: tuple = ()  # what one of them must say: only where no field shows it
    facts: dict = dataclasses.field(default_factory=dict)  # "wire.complete": a value, a (least, most) pair or a function
    count: int | tuple = 1  # a tuple: at least, at most

    def name(self):
        return " ".join(filter(None, [self.local and f"from {self.local}", self.remote and f"to {self.remote}"])) or "the life"


def life(remote=None, outcome=None, *, local=None, process=None, role=None, closed_by=None, tx=None, rx=None, errno=None, findings=None, may=None,
         never=(), says=(), count=1, **facts):
    """A life of an expectation. Other JSON fields by name, `__` for a level: nat__remote__ip="10.9.0.2"."""
    named = {"comm": process, "role": role, "closed_by": closed_by, "tx_bytes": tx, "rx_bytes": rx, "errno": errno}
    wanted = {key: value for key, value in named.items() if value is not None}
    wanted |= {key.replace("__", "."): value for key, value in facts.items()}
    return Life(remote, local, outcome, findings or {}, may or {}, tuple(never), tuple(says), wanted, count)


@dataclasses.dataclass
class View:
    lives: list
    findings: dict  # those that belong to no connection: rule -> ceiling
    may: dict
    never: tuple  # what the timeline and the stories must not say
    events: tuple  # fields of an event that the timeline must have
    no_events: tuple  # fields of one that it must not have
    others: tuple  # outcomes of further lives that are allowed, with no finding but those that `may` be
    summary: dict  # fields of the live run's summary


def view(*lives, findings=None, may=None, never=(), events=(), no_events=(), others=(), summary=None):
    """What is reported in one namespace: these lives and, without `others`, no other one."""
    return View(list(lives), findings or {}, may or {}, tuple(never), tuple(events), tuple(no_events), tuple(others), summary or {})


@dataclasses.dataclass
class Score:
    right: int = 0
    missed: int = 0
    false: int = 0
    facts: int = 0
    wrong_facts: int = 0
    complaints: list = dataclasses.field(default_factory=list)

    def add(self, other):
        for field in ("right", "missed", "false", "facts", "wrong_facts"):
            setattr(self, field, getattr(self, field) + getattr(other, field))

    def ok(self):
        return self.missed == self.false == self.wrong_facts == 0

    def miss(self, text, times=1):
        self.missed += times
        self.complaints.append(f"missed: {text}")

    def lie(self, text):
        self.false += 1
        self.complaints.append(f"false: {text}")

    def fact(self, holds, text):
        self.facts += 1
        if not holds:
            self.wrong_facts += 1
            self.complaints.append(f"wrong: {text}")


def judge(expect, watches):
    score = Score()
    for watch in watches:
        judge_view(score, watch.name, expect[watch.name], watch)
    for place in expect.keys() - {watch.name for watch in watches}:
        score.miss(f"{place} was not watched")
    return score


def judge_view(score, place, wanted, watch):
    lives = sorted((line for line in watch.stories if line["type"] == "life"), key=lambda line: (line["start_ts_ns"], line["conn"]))
    findings = [line for line in watch.stories if line["type"] == "finding"]
    for expected in wanted.lives:
        least, most = expected.count if isinstance(expected.count, tuple) else (expected.count, expected.count)
        ours = [one for one in lives if is_end(one["remote"], expected.remote) and is_end(one["local"], expected.local)]
        # Clients that start together connect in any order: whose life it is comes before its age. sorted() keeps the rest.
        ours = sorted(ours, key=lambda one: one.get("comm") != expected.facts.get("comm", one.get("comm")))[:most]
        if len(ours) < least:
            absent = least - len(ours)
            score.miss(f"{place}: {absent} of {least} lives {expected.name()}", absent * (2 + len(expected.findings)))
        for one in ours:
            lives.remove(one)
            reported = [line for line in findings if line.get("conn") == one["conn"]]
            judge_life(score, f"{place}, {address(one['local'])} - {address(one['remote'])}", expected, one, reported)
    for one in lives:
        if one["outcome"] in wanted.others and wanted.may.keys() >= set(one["findings"]):
            continue
        score.lie(f"{place}: a life {address(one['local'])} - {address(one['remote'])} of {one.get('comm')}, {one['outcome']}")
    judge_findings(score, f"{place}, no connection", wanted.findings, wanted.may, [line for line in findings if line.get("conn") is None])
    for pattern in wanted.never:
        said = re.search(f".*(?:{pattern}).*", watch.timeline) or re.search(pattern, words(watch.stories))
        score.fact(not said, f"{place}: it must not say {pattern!r}: {said.group().strip() if said else ''}")
    for fields in wanted.events:
        score.fact(any(fits(event, fields) for event in watch.events), f"{place}: no event {fields}")
    for fields in wanted.no_events:
        found = [event for event in watch.events if fits(event, fields)]
        score.fact(not found, f"{place}: an event {fields}: {found[:1]}")
    for path, value in wanted.summary.items():
        found = at(watch.live[-1], path)
        score.fact(holds(value, found), f"{place}: summary.{path} is {found!r}, not {described(value)}")
    optional = set(wanted.may).union(*(expected.may for expected in wanted.lives))
    # Of a crowd the first 100 of each second are lives: how many that are depends on when the second begins.
    crowd = set(wanted.others) if sum(one["outcome"] in wanted.others for one in lives) >= 100 else set()
    digests, events = heads(watch.lives, optional, crowd), heads(watch.live, optional, crowd)
    score.fact(digests == events, f"{place}: `life` says {[one for one in digests if one not in events]}, with every event it is "
                                  f"{[one for one in events if one not in digests]}")
    unsure = less_sure(watch.lives, watch.live)
    score.fact(not unsure, f"{place}: `life` is less sure of {unsure} than with every event")
    score.fact(verdicts(watch.live) == verdicts(watch.stories), f"{place}: the recording says {verdicts(watch.stories)}, live was said "
                                                                 f"{verdicts(watch.live)}")


def judge_life(score, name, expected, one, reported):
    score.right += 1  # it is there
    outcomes = expected.outcome if isinstance(expected.outcome, tuple) else (expected.outcome,)
    if expected.outcome is None:
        pass
    elif one["outcome"] in outcomes:
        score.right += 1
    else:
        score.miss(f"{name}: outcome {' or '.join(outcomes)}")
        score.lie(f"{name}: outcome {one['outcome']}: {one.get('explanation', '')}")
    may = dict(expected.may)
    if one["outcome"] == "completed" and one["closed_by"] in ("local", "both"):
        may.setdefault("time-wait", "certain")
    judge_findings(score, name, expected.findings, may, reported)
    for path, value in expected.facts.items():
        found = at(one, path)
        score.fact(holds(value, found), f"{name}: {path} is {found!r}, not {described(value)}")
    text = words([one, *reported])
    for pattern in expected.never:
        said = re.search(f".*(?:{pattern}).*", text)
        score.fact(not said, f"{name}: it must not say {pattern!r}: {said.group().strip() if said else ''}")
    for pattern in expected.says:
        score.fact(re.search(pattern, text), f"{name}: it does not say {pattern!r} but: {text}")


def judge_findings(score, name, wanted, may, reported):
    best = {}  # the surest of each rule
    for line in reported:
        rule = line["rule"]
        if rule not in best or SURENESS.index(line["confidence"]) > SURENESS.index(best[rule]["confidence"]):
            best[rule] = line
    for rule, ceiling in wanted.items():
        if rule not in best:
            score.miss(f"{name}: finding {rule}")
        elif SURENESS.index(best[rule]["confidence"]) <= SURENESS.index(ceiling):
            score.right += 1
        else:
            score.miss(f"{name}: finding {rule}, at most {ceiling}")
            score.lie(f"{name}: {rule} ({best[rule]['confidence']}): {best[rule]['text']}")
    allowed = {**LOAD, **may}
    for rule, line in best.items():
        if rule in wanted or (rule in allowed and SURENESS.index(line["confidence"]) <= SURENESS.index(allowed[rule])):
            continue
        score.lie(f"{name}: {rule} ({line['confidence']}): {line['text']}")


def verdicts(lines):
    """Outcomes and rules, to compare two readings of one run."""
    said = {}
    for line in lines:
        if line["type"] == "life":
            said[address(line["local"]), address(line["remote"]), line["conn"]] = (line["outcome"], *sorted(line["findings"]))
    return said


def surest(lines):
    """The surest finding of each rule, by connection."""
    best = {}
    for line in lines:
        if line["type"] == "finding" and line.get("conn"):
            key = (address(line["local"]), address(line["remote"]), line["rule"])
            best[key] = max(best.get(key, 0), SURENESS.index(line["confidence"]))
    return best


def less_sure(digests, events):
    """What both found, and `life` with less confidence."""
    sure = surest(digests)
    return sorted(key for key, confidence in surest(events).items() if key in sure and sure[key] < confidence)


def heads(lines, optional, crowd):
    """Lives as two runs beside each other must have them, whatever number each has there."""
    return sorted((address(line["local"]), address(line["remote"]), line["outcome"], str(line.get("comm")), line["closed_by"], *line["states"],
                   *sorted(set(line["findings"]) - optional))
                  for line in lines if line["type"] == "life" and line["outcome"] not in crowd)


def words(lines):
    text = []
    for line in lines:
        text += [line[key] for key in ("text", "explanation") if line.get(key)]
        text += [sentence["text"] for sentence in line.get("story", [])]
    return "\n".join(text)


def is_end(end, wanted):
    if wanted is None:
        return True
    ip, _, port = wanted.rpartition(":") if ":" in wanted else (wanted, "", "")
    return (not ip or end["ip"] == ip.strip("[]")) and (not port or end["port"] == int(port))


def fits(event, fields):
    return all(holds(value, at(event, path)) for path, value in fields.items())


def address(end):
    return f"{end['ip']}:{end['port']}"


def at(value, path):
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def holds(wanted, found):
    if callable(wanted):
        return found is not None and bool(wanted(found))
    if isinstance(wanted, tuple):
        return found is not None and wanted[0] <= found <= wanted[1]
    return found == wanted


def described(wanted):
    if callable(wanted):
        return wanted.__doc__ or "as it should be"
    return f"{wanted[0]} to {wanted[1]}" if isinstance(wanted, tuple) else repr(wanted)

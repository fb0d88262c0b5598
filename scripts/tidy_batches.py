# SPDX-License-Identifier: Apache-2.0
# tidy_batches.py: clang-tidy over changed units, many as one. Most of its time goes into the headers that they share.
#
#   tidy_batches.py COMPILE_COMMANDS DIRECTORY JOBS <UNITS     a line a unit: its path, and the stamp to make if it is clean
#
# Where a batch is not clean (names of two files may meet in it), the files that are named go into one of their own, and in the
# end each is looked at alone: what is printed is what clang-tidy says of one file. That a file names all it includes is seen only of those that are
# looked at alone.
import collections
import concurrent.futures
import json
import pathlib
import re
import shlex
import subprocess
import sys
import threading

BATCH = 16
# Clang does not know these options of GCC, and a batch or a file is compiled without the headers that were compiled before.
UNKNOWN = re.compile(r" -mmemset-strategy=\S*| -fpch-preprocess| -Winvalid-pch| -include \S*cmake_pch\.hxx| -o \S+ -c .*| --param \S+")

NAMED = re.compile(r"^(/[^:\n]+):\d+:\d+: error: ", re.MULTILINE)


def configuration(unit):
    return next(up / ".clang-tidy" for up in unit.parents if (up / ".clang-tidy").exists())


def flags(command):
    words = shlex.split(UNKNOWN.sub("", command))
    return tuple(words[[i for i, word in enumerate(words) if word.endswith("++")][0] + 1 :])  # behind ccache, too


class Batches:
    def __init__(self, directory):
        self.directory = directory
        self.count = 0
        self.lock = threading.Lock()

    def source(self, units):
        with self.lock:
            self.count += 1
            source = self.directory / f"batch{self.count}.cpp"
        source.write_text("".join(f'#include "{unit}"\n' for unit in units))
        return source

    # What there is to complain of; empty where all is well.
    def look(self, units, stamps, options):
        alone = len(units) == 1
        command = ["clang-tidy-19", "--quiet", f"--config-file={configuration(units[0])}"]
        if not alone:
            command += ["--checks=-bugprone-suspicious-include", r"--header-filter=/(include/tcpwitness|user|tests)/[^:]*\.[ch]pp$"]
        command += [str(units[0] if alone else self.source(units)), "--", *options]
        if not alone:  # what one file has for itself may have a name of another's
            command += ["-Wno-shadow", "-ferror-limit=0"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            for unit in units:
                stamps[unit].touch()
            return ""
        if alone:
            return done.stdout
        named = set(NAMED.findall(done.stdout))
        apart = [unit for unit in units if str(unit) in named]
        if len(apart) in (0, len(units)):
            apart = units[len(units) // 2 :]
        rest = [unit for unit in units if unit not in apart]
        return self.look(rest, stamps, options) + self.look(apart, stamps, options)


def main():
    commands, directory, jobs = sys.argv[1:]
    stamps = {pathlib.Path(unit): pathlib.Path(stamp) for unit, stamp in (line.split() for line in sys.stdin)}
    alike = collections.defaultdict(list)
    for entry in json.loads(pathlib.Path(commands).read_text()):
        unit = pathlib.Path(entry["file"])
        if unit in stamps and unit not in alike[configuration(unit), flags(entry["command"])]:
            alike[configuration(unit), flags(entry["command"])].append(unit)
    batches = Batches(pathlib.Path(directory))
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        looks = [
            pool.submit(batches.look, sorted(units)[at : at + BATCH], stamps, options)
            for (_, options), units in sorted(alike.items())
            for at in range(0, len(units), BATCH)
        ]
        said = [look.result() for look in looks]
    print("".join(said), end="")
    sys.exit(any(said))


main()

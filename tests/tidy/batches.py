# SPDX-License-Identifier: Apache-2.0
# batches.py: clang-tidy over changed units, many as one. Most of its time goes into the headers that they share.
#
#   batches.py COMPILE_COMMANDS DIRECTORY JOBS <UNITS     a line a unit: its path, and the stamp to make if it is clean
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
import tempfile

BATCH = 16
# Clang does not know these options of GCC, and a batch or a file is compiled without the headers that were compiled before.
UNKNOWN = re.compile(r" -mmemset-strategy=\S*| -fpch-preprocess| -Winvalid-pch| -include \S*cmake_pch\.hxx| -o \S+ -c .*| --param \S+")
# The files in which something is wrong.
NAMED = re.compile(r"^(/[^:\n]+):\d+:\d+: error: ", re.MULTILINE)


def configuration(unit):
    return next(up / ".clang-tidy" for up in unit.parents if (up / ".clang-tidy").exists())


def flags(command):
    words = shlex.split(UNKNOWN.sub("", command))
    return tuple(words[[i for i, word in enumerate(words) if word.endswith("++")][0] + 1 :])  # behind ccache, too


class Looks:
    def __init__(self, directory, stamps):
        self.directory = directory
        self.stamps = stamps

    def batch(self, units):
        with tempfile.NamedTemporaryFile("w", dir=self.directory, suffix=".cpp", delete=False) as source:
            source.writelines(f'#include "{unit}"\n' for unit in units)
        return source.name

    # What there is to complain of; empty where all is well.
    def look(self, units, checked_by, options):
        command = ["clang-tidy-19", "--quiet", f"--config-file={checked_by}"]
        if len(units) == 1:
            command += [str(units[0]), "--", *options]
        else:  # what one file has for itself may have a name of another's
            command += ["--checks=-bugprone-suspicious-include", self.batch(units), "--", *options, "-Wno-shadow", "-ferror-limit=0"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            for unit in units:
                self.stamps[unit].touch()
            return ""
        if len(units) == 1:
            return done.stdout
        named = set(NAMED.findall(done.stdout))
        apart = [unit for unit in units if str(unit) in named]
        if len(apart) in (0, len(units)):
            apart = units[len(units) // 2 :]
        rest = [unit for unit in units if unit not in apart]
        return self.look(rest, checked_by, options) + self.look(apart, checked_by, options)


def main():
    commands, directory, jobs = sys.argv[1:]
    stamps = {pathlib.Path(unit): pathlib.Path(stamp) for unit, stamp in (line.split() for line in sys.stdin)}
    alike = collections.defaultdict(set)
    for entry in json.loads(pathlib.Path(commands).read_text()):
        unit = pathlib.Path(entry["file"])
        if unit in stamps:
            alike[configuration(unit), flags(entry["command"])].add(unit)
    missing = stamps.keys() - set().union(*alike.values())
    if missing:
        sys.exit(f"batches.py: no compile command of {', '.join(map(str, sorted(missing)))}")
    looks = Looks(directory, stamps)
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        running = [
            pool.submit(looks.look, sorted(units)[at : at + BATCH], checked_by, options)
            for (checked_by, options), units in sorted(alike.items())
            for at in range(0, len(units), BATCH)
        ]
        said = [look.result() for look in running]
    print("".join(said), end="")
    sys.exit(any(said))


main()

# SPDX-License-Identifier: Apache-2.0
# batches.py: clang-tidy over changed units, many as one. Most of its time goes into the headers that they share.
#
#   batches.py COMPILE_COMMANDS DIRECTORY JOBS <UNITS     a line a unit: its path, and the stamp to make if it is clean
#
# Where a batch is not clean (names of two files may meet in it), the files that are named go into one of their own, and in the
# end each is looked at alone: what is printed is clang-tidy's output for one file. That a file names all it includes is seen only of those that are
# looked at alone.
import collections
import concurrent.futures
import itertools
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

# Files that are not compiled as one. Tests have many helpers of the same name: fewer of them fit together.
BATCH, BATCH_OF_TESTS = 16, 5
# What each program has, or what stands in for another library's function.
ONE_OF_A_KIND = re.compile(r"^int main\(|^extern \"C\"", re.MULTILINE)
# Clang does not know these options of GCC, and a batch or a file is compiled without the headers that were compiled before.
UNKNOWN = re.compile(r" -mmemset-strategy=\S*| -Wno-subobject-linkage| -fpch-preprocess| -Winvalid-pch| -include \S*cmake_pch\.hxx| -o \S+ -c .*| --param \S+")
# How much it is optimised makes no difference here.
NO_MATTER = re.compile(r" -O\d| -g\d?(?= )")
# The files in which something is wrong.
NAMED = re.compile(r"^(/[^:\n]+):\d+:\d+: error: ", re.MULTILINE)


def configuration(unit):
    return next(up / ".clang-tidy" for up in unit.parents if (up / ".clang-tidy").exists())


# The source files of a compile command's file: itself, or those that CMake compiles as one.
def sources(file):
    if "/Unity/unity_" not in file:
        return [pathlib.Path(file)]
    return [pathlib.Path(source) for source in re.findall(r'^#include "(/[^"]+)"', pathlib.Path(file).read_text(), re.MULTILINE)]


# What a unit is compiled with, a word each, or two that belong together.
def flags(command):
    words = shlex.split(NO_MATTER.sub("", UNKNOWN.sub("", command)))
    words = iter(words[[i for i, word in enumerate(words) if word.endswith("++")][0] + 1 :])  # behind ccache, too
    return [(word, next(words)) if word == "-isystem" else (word,) for word in words]


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


def batches(units, checked_by):
    alone = [unit for unit in units if ONE_OF_A_KIND.search(unit.read_text())]
    rest = [unit for unit in units if unit not in alone]
    size = BATCH_OF_TESTS if checked_by.parent.name == "tests" else BATCH
    return [[unit] for unit in alone] + [rest[at : at + size] for at in range(0, len(rest), size)]


def main():
    commands, directory, jobs = sys.argv[1:]
    stamps = {pathlib.Path(unit): pathlib.Path(stamp) for unit, stamp in (line.split() for line in sys.stdin)}
    # What one unit has more than another (a directory of headers, a path as a macro) does not disturb that one.
    compiled_as_one = {}
    flags_of = collections.defaultdict(dict)
    for entry in json.loads(pathlib.Path(commands).read_text()):
        for unit in stamps.keys() & set(sources(entry["file"])):
            compiled_as_one[unit] = entry["file"] if str(unit) != entry["file"] else compiled_as_one.get(unit, "")
            flags_of[configuration(unit)].update(dict.fromkeys(flags(entry["command"])))
    missing = stamps.keys() - compiled_as_one.keys()
    if missing:
        sys.exit(f"batches.py: no compile command of {', '.join(map(str, sorted(missing)))}")
    together = collections.defaultdict(list)
    for unit, as_one in sorted(compiled_as_one.items()):
        together[configuration(unit), as_one].append(unit)
    looks = Looks(directory, stamps)
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        running = []
        for (checked_by, as_one), units in sorted(together.items()):
            options = list(itertools.chain(*flags_of[checked_by]))
            for batch in [units] if as_one else batches(units, checked_by):
                running.append(pool.submit(looks.look, batch, checked_by, options))
        found = [look.result() for look in running]
    print("".join(found), end="")
    sys.exit(any(found))


main()

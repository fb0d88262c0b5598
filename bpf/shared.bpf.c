/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * shared.bpf.c: no program, only the maps that the programs of all objects have together. Loaded first, so that the
 * objects can be loaded side by side: what takes its time is the verifier.
 */
#include "digest.h"
#include "maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

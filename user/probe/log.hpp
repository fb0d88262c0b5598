// SPDX-License-Identifier: Apache-2.0
// log.hpp: libbpf's messages, kept for error messages instead of spilt on stderr.
#pragma once

#include <string>

namespace tcpwitness {

// From now on libbpf's messages are collected; the verifier's log comes with them when a load fails.
void capture_libbpf_log();

// The collected text since the last call, cleared.
std::string take_libbpf_log();

// The program that a failed load names ("prog 'NAME': failed to load"); empty when none does.
[[nodiscard]] std::string failed_program(const std::string& log);

// The last lines of the verifier's log, for who mends the program; empty when there is none.
[[nodiscard]] std::string verifier_tail(const std::string& log);

// Why the kernel refuses a program, in one sentence: what this kernel lacks, as far as the log shows it.
[[nodiscard]] std::string refusal_in_words(const std::string& log);

// The verifier's last lines on the newest program that was refused.
[[nodiscard]] std::string newest_refusal();
void keep_refusal(const std::string& log);

}  // namespace tcpwitness

// SPDX-License-Identifier: Apache-2.0
// sentence.cpp: a finding in words: of its arguments, and what is known of the other end.
#include <fmt/format.h>

#include <variant>

#include "tcpwitness/finding.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

struct FindingWords {
  std::string operator()(const std::monostate& /*nothing*/) const { return ""; }
  std::string operator()(const arguments::OwnWords& own) const { return own.text; }
  template <typename Found>
  std::string operator()(const Found& found) const {
    return tcpwitness::words(found);
  }
};

// Its sentence has named the other end already.
bool names_the_peer(const Finding& finding) {
  const auto* window = std::get_if<arguments::ZeroWindow>(&finding.arguments);
  return std::holds_alternative<arguments::Reset>(finding.arguments) || (window != nullptr && window->peer);
}

}  // namespace

std::string sentence(const Finding& finding) {
  if (const auto* own = std::get_if<arguments::OwnWords>(&finding.arguments)) return own->text;
  std::string text = std::visit(FindingWords{}, static_cast<const AnyArguments&>(finding.arguments));
  if (!finding.because.empty()) {
    const Finding& cause = finding.because.front();
    return text + fmt::format("; at the other end{}: {}", cause.confidence == Confidence::certain ? "" : ", probably",
                              sentence(cause));
  }
  if (finding.peer && finding.peer->pid != 0 && !names_the_peer(finding))
    text += fmt::format("; the other end is {}", process_words({finding.peer->pid, finding.peer->comm}));
  return text;
}

}  // namespace tcpwitness

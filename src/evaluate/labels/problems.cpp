// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/problems.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error/error.hpp"

namespace andon::evaluate {
namespace {

constexpr std::size_t kProblemsShown = 5;

}  // namespace

void LabelProblems::add(std::string problem) {
  if (shown_.size() < kProblemsShown) shown_.push_back(std::move(problem));
  ++count_;
}

void LabelProblems::throw_if_any(std::string_view name) const {
  if (count_ == 0) return;
  std::string text(name);
  text += count_ == 1 ? ": " : fmt::format(" has {} problems:\n  ", count_);
  text += fmt::format("{}", fmt::join(shown_, "\n  "));
  if (count_ > shown_.size()) text += "\n  ...";
  throw base::Error(base::ErrorCode::invalid_argument, std::move(text));
}

void Oddity::tell(std::vector<std::string>& warnings, std::string_view what) const {
  if (count_ > 0) warnings.push_back(fmt::format("{} {} (first: {})", count_, what, first_));
}

}  // namespace andon::evaluate

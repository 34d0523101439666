// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/part.hpp"

#include <algorithm>

namespace andon::inspect {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::open:
      return "open";
    case Outcome::met:
      return "met";
    case Outcome::late:
      return "late";
    case Outcome::failed:
      return "failed";
  }
  return "";
}

std::optional<Verdict> Part::verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

bool Part::is_fail_safe() const {
  const std::lock_guard lock(mutex_);
  return is_fail_safe_;
}

std::vector<OutputOutcome> Part::outcomes(Instant now) const {
  const std::lock_guard lock(mutex_);
  std::vector<OutputOutcome> outcomes;
  for (const Given& given : given_) {
    const bool has_passed = given.outcome == Outcome::open && now > given.until;
    outcomes.push_back({given.name, has_passed ? Outcome::late : given.outcome, given.took});
  }
  return outcomes;
}

bool Part::is_settled(Instant now) const {
  const std::lock_guard lock(mutex_);
  return verdict_ && std::ranges::all_of(given_, [now](const Given& given) {
           return given.outcome != Outcome::open || now > given.until;
         });
}

std::optional<Instant> Part::settled_by() const {
  const std::lock_guard lock(mutex_);
  if (!verdict_) return std::nullopt;
  Instant by = triggered_;
  for (const Given& given : given_) {
    if (given.outcome == Outcome::open) by = std::max(by, given.until);
  }
  return by;
}

}  // namespace andon::inspect

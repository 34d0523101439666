// SPDX-License-Identifier: Apache-2.0
#include "control/audit/refusal_limits.hpp"

#include <algorithm>
#include <utility>

namespace andon::control {
namespace {

// In tenths of an entry, since a source has less than one a second.
constexpr std::uint64_t kOne = 10;
constexpr std::uint64_t kOfSource = 2;
constexpr std::uint64_t kOfSourceAtOnce = 200;
constexpr std::uint64_t kOfAll = 10;
constexpr std::uint64_t kOfAllAtOnce = 5000;
constexpr std::size_t kMostSources = 1000;
constexpr std::size_t kToldSources = 8;
constexpr std::chrono::minutes kBetweenWords{1};

}  // namespace

bool RefusalLimits::take(Who who, const std::string& source, TimePoint now) {
  Class& of = who == Who::known ? known_ : unknown_;
  // Beyond so many they begin anew; the bound of all holds in any case.
  if (of.sources.size() >= kMostSources && !of.sources.contains(source)) of.sources.clear();
  if (of.sources[source].take(kOne, kOfSource, kOfSourceAtOnce, now) &&
      of.all.take(kOne, kOfAll, kOfAllAtOnce, now)) {
    return true;
  }
  ++left_out_.count;
  if (left_out_.sources.size() < kToldSources &&
      std::ranges::find(left_out_.sources, source) == left_out_.sources.end()) {
    left_out_.sources.push_back(source);
  }
  return false;
}

std::optional<RefusalLimits::LeftOut> RefusalLimits::left_out(TimePoint now) {
  if (left_out_.count == 0 || now - told_ < kBetweenWords) return std::nullopt;
  told_ = now;
  return std::exchange(left_out_, {});
}

}  // namespace andon::control

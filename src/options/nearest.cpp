// SPDX-License-Identifier: Apache-2.0
#include "options/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/text/ascii.hpp"

namespace andon::options {
namespace {

constexpr std::size_t kLongestCompared = 64;  // no name of ours is longer

std::string plain(std::string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  return base::to_lower(name);
}

// Insertions, deletions, exchanges and swaps of neighbours from one text to the other.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before_last(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::iota(last.begin(), last.end(), 0U);
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::vector<std::size_t> row(right.size() + 1);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t exchange = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, exchange});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = std::move(last);
    last = std::move(row);
  }
  return last[right.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> names) {
  const std::string wanted = plain(typed);
  if (wanted.size() < 2 || wanted.size() > kLongestCompared) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::string candidate = plain(name);
    if (candidate.size() < 2) continue;
    const std::size_t far = wanted.size() > 2 && candidate.starts_with(wanted)
                                ? (candidate == wanted ? 0 : 1)
                                : distance(wanted, candidate);
    if (far < best_distance) {
      best = name;
      best_distance = far;
    }
  }
  return best;
}

}  // namespace andon::options

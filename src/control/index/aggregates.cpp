// SPDX-License-Identifier: Apache-2.0
#include "control/index/aggregates.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text/number.hpp"

namespace andon::control {
namespace {

std::vector<double> numbers_of(const std::vector<std::string>& values) {
  std::vector<double> numbers;
  for (const std::string& value : values) {
    if (const auto number = base::parse_number(value)) numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

Statistics statistics_of(const std::vector<std::string>& values) {
  Statistics statistics{.count = static_cast<std::int64_t>(values.size()), .numbers = {}};
  const std::vector<double> numbers = numbers_of(values);
  if (numbers.empty()) return statistics;
  Statistics::Numbers found;
  for (const double number : numbers) {
    found.sum += number;
    found.sum_of_squares += number * number;
  }
  const auto count = static_cast<double>(numbers.size());
  found.average = found.sum / count;
  for (const double number : numbers) {
    found.variance += (number - found.average) * (number - found.average) / count;
  }
  found.deviation = std::sqrt(found.variance);
  const auto [least, most] = std::ranges::minmax_element(numbers);
  found.minimum = *least;
  found.maximum = *most;
  statistics.numbers = found;
  return statistics;
}

std::int64_t cardinality_of(std::vector<std::string> values) {
  std::ranges::sort(values);
  return std::unique(values.begin(), values.end()) - values.begin();
}

std::vector<std::pair<double, double>> percentiles_of(const std::vector<std::string>& values,
                                                      const std::vector<double>& percents) {
  std::vector<double> numbers = numbers_of(values);
  std::vector<std::pair<double, double>> found;
  if (numbers.empty()) return found;
  std::ranges::sort(numbers);
  for (const double percent : percents) {
    const double place = percent / 100.0 * static_cast<double>(numbers.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, numbers.size() - 1);
    const double part = place - static_cast<double>(below);
    found.emplace_back(percent, numbers[below] + (numbers[above] - numbers[below]) * part);
  }
  return found;
}

std::vector<Bucket> buckets_of(const std::vector<std::string>& values, std::size_t most) {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& value : values) ++counts[value];
  std::vector<Bucket> buckets;
  for (const auto& [value, count] : counts) buckets.push_back({value, count});
  std::ranges::stable_sort(
      buckets, [](const Bucket& one, const Bucket& other) { return one.count > other.count; });
  if (buckets.size() > most) buckets.resize(most);
  return buckets;
}

}  // namespace andon::control

// SPDX-License-Identifier: Apache-2.0
// What a field's values come to over many things, as AWS IoT's fleet indexing aggregates them.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace andon::control {

struct Statistics {
  std::int64_t count = 0;  // of values, numbers or not
  // Of those that are numbers; nothing where none is.
  struct Numbers {
    double sum = 0;
    double average = 0;
    double minimum = 0;
    double maximum = 0;
    double sum_of_squares = 0;
    double variance = 0;  // of all of them, not of a sample
    double deviation = 0;
  };
  std::optional<Numbers> numbers;
};
[[nodiscard]] Statistics statistics_of(const std::vector<std::string>& values);

[[nodiscard]] std::int64_t cardinality_of(std::vector<std::string> values);

// Of the numbers among them, for each percent (0 to 100) the value, between two neighbours in
// proportion; none where no value is a number.
[[nodiscard]] std::vector<std::pair<double, double>> percentiles_of(
    const std::vector<std::string>& values, const std::vector<double>& percents);

// How often each value comes, the most frequent first; at most `most`.
struct Bucket {
  std::string value;
  std::int64_t count = 0;
};
[[nodiscard]] std::vector<Bucket> buckets_of(const std::vector<std::string>& values,
                                             std::size_t most);

}  // namespace andon::control

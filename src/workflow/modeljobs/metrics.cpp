// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/metrics.hpp"

#include <cmath>
#include <memory>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "query/regex/regex.hpp"

namespace andon::workflow {
namespace {

constexpr std::size_t kMostLine = 4096;
constexpr int kMostMatches = 64;  // of one expression in one line

struct Wanted {
  std::string name;
  std::unique_ptr<const query::Regex> regex;
  std::optional<double> value;
};

// The last match of the line that is a number.
std::optional<double> value_in(const query::Regex& regex, std::string_view line) {
  std::optional<double> value;
  std::size_t from = 0;
  for (int matches = 0; matches < kMostMatches && from <= line.size(); ++matches) {
    const auto match = regex.search(line, from);
    if (!match) break;
    std::string_view found = line.substr(match->begin, match->end - match->begin);
    if (!match->groups.empty() && match->groups[0].matched) {
      found = line.substr(match->groups[0].begin, match->groups[0].end - match->groups[0].begin);
    }
    const auto number = base::parse_number(base::trim(found));
    if (number && std::isfinite(*number)) value = number;
    from = match->end > match->begin ? match->end : match->end + 1;
  }
  return value;
}

}  // namespace

std::vector<FinalMetric> read_metrics(const json::array& definitions, std::string_view log,
                                      std::chrono::milliseconds patience) {
  const auto limit = std::chrono::steady_clock::now() + patience;
  std::vector<Wanted> wanted;
  for (const json::value& one : definitions) {
    const base::JsonReader reader(one, "MetricDefinitions");
    Wanted& each = wanted.emplace_back();
    each.name = reader.required_text("Name");
    each.regex = std::make_unique<const query::Regex>(reader.required_text("Regex"),
                                                      query::Regex::Options{});
  }
  std::size_t missing = wanted.size();
  // From the end on, as the last value counts.
  while (!log.empty() && missing > 0 && std::chrono::steady_clock::now() < limit) {
    const std::size_t end = log.rfind('\n');
    std::string_view line = end == std::string_view::npos ? log : log.substr(end + 1);
    log = end == std::string_view::npos ? std::string_view() : log.substr(0, end);
    const std::string text = base::to_valid_utf8(line.substr(0, kMostLine));
    for (Wanted& one : wanted) {
      if (one.value) continue;
      try {
        one.value = value_in(*one.regex, text);
      } catch (const base::Error&) {
        // Too costly for this line; another one may do.
      }
      if (one.value) --missing;
    }
  }
  std::vector<FinalMetric> found;
  for (const Wanted& one : wanted) {
    if (one.value) found.push_back({.name = one.name, .value = *one.value});
  }
  return found;
}

}  // namespace andon::workflow

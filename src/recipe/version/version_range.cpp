// SPDX-License-Identifier: Apache-2.0
// The grammar is that of node-semver's README ("Ranges"): each form is reduced to comparators.
#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "recipe/version/semver.hpp"

namespace andon::recipe {
namespace {

using Operator = VersionRange::Operator;
using Comparator = VersionRange::Comparator;
using Comparators = std::vector<Comparator>;

constexpr std::size_t kMaxRangeLength = 256;
constexpr std::size_t kMaxAlternatives = 256;

// What stands after an operator: a version of which trailing numbers may be left out or "x".
struct Partial {
  Version version;  // numbers that are left out are 0
  int numbers = 0;  // how many are given
};

struct BadRange {};

[[nodiscard]] Version numbers(std::uint32_t major, std::uint32_t minor, std::uint32_t patch) {
  return Version{major, minor, patch, {}, {}};
}

// "<2.0.0" of a caret, tilde or x-range also keeps out the pre-releases of 2.0.0.
[[nodiscard]] Comparator below(Version version) {
  version.prerelease = {"0"};
  return {Operator::less, std::move(version)};
}

[[nodiscard]] Comparator at_least(const Version& version) {
  return {Operator::greater_equal, version};
}

// The first version after everything that `partial` (with at least one number) stands for.
[[nodiscard]] Version after(const Partial& partial) {
  if (partial.numbers == 1) return numbers(partial.version.major + 1, 0, 0);
  return numbers(partial.version.major, partial.version.minor + 1, 0);
}

[[nodiscard]] bool is_wildcard(std::string_view text) {
  return text == "x" || text == "X" || text == "*";
}

[[nodiscard]] Partial parse_partial(std::string_view text) {
  if (!text.empty() && text.front() == 'v') text.remove_prefix(1);
  if (const auto whole = Version::parse(text)) return {*whole, 3};
  Partial partial;
  bool wild = false;
  for (int position = 0;; ++position) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    if (position == 3) throw BadRange{};
    if (is_wildcard(part)) {
      wild = true;
    } else {
      const auto number = base::parse_integer<std::uint32_t>(part, 0, 999'999);
      const bool leading_zero = part.size() > 1 && part.front() == '0';
      if (!number || leading_zero) {
        throw BadRange{};
      }
      // "1.x.3" is 1.x: what stands behind a wildcard says nothing.
      if (!wild) {
        (position == 0   ? partial.version.major
         : position == 1 ? partial.version.minor
                         : partial.version.patch) = *number;
        ++partial.numbers;
      }
    }
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  // All three numbers without being a version means too long; nothing else is left.
  if (partial.numbers == 3) throw BadRange{};
  return partial;
}

[[nodiscard]] Comparators caret(const Partial& partial) {
  const Version& from = partial.version;
  if (partial.numbers == 0) return {};
  Version end = numbers(from.major + 1, 0, 0);
  if (from.major == 0 && partial.numbers >= 2) {
    end = numbers(0, from.minor + 1, 0);
    if (from.minor == 0 && partial.numbers == 3) end = numbers(0, 0, from.patch + 1);
  }
  return {at_least(from), below(end)};
}

[[nodiscard]] Comparators tilde(const Partial& partial) {
  if (partial.numbers == 0) return {};
  return {at_least(partial.version), below(after(partial))};
}

[[nodiscard]] Comparators plain(std::string_view op, const Partial& partial) {
  const Version& version = partial.version;
  const bool whole = partial.numbers == 3;
  if (op.empty() || op == "=") {
    if (whole) return {{Operator::equal, version}};
    return tilde(partial);
  }
  if (partial.numbers == 0) {
    if (op == ">=" || op == "<=") return {};
    return {below(numbers(0, 0, 0))};  // more or less than everything is nothing
  }
  if (op == ">=") return {at_least(version)};
  if (op == "<") return {whole ? Comparator{Operator::less, version} : below(version)};
  if (op == ">") return {whole ? Comparator{Operator::greater, version} : at_least(after(partial))};
  return {whole ? Comparator{Operator::less_equal, version} : below(after(partial))};
}

[[nodiscard]] Comparators hyphen(const Partial& from, const Partial& to) {
  Comparators comparators;
  if (from.numbers > 0) comparators.push_back(at_least(from.version));
  if (to.numbers == 3) {
    comparators.push_back({Operator::less_equal, to.version});
  } else if (to.numbers > 0) {
    comparators.push_back(below(after(to)));
  }
  return comparators;
}

[[nodiscard]] std::string_view take_operator(std::string_view& word) {
  for (const std::string_view op : {"~>", ">=", "<=", "^", "~", ">", "<", "="}) {
    if (word.starts_with(op)) {
      word.remove_prefix(op.size());
      return op;
    }
  }
  return {};
}

[[nodiscard]] Comparators parse_alternative(std::string_view text) {
  const auto words = base::split_words(text);
  if (words.size() == 3 && words[1] == "-") {
    return hyphen(parse_partial(words[0]), parse_partial(words[2]));
  }
  Comparators comparators;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    const auto op = take_operator(word);
    // ">= 1.2.3": the version may stand apart.
    if (!op.empty() && word.empty()) {
      if (++i == words.size()) throw BadRange{};
      word = words[i];
    }
    const auto partial = parse_partial(word);
    const auto parsed = op == "^"                 ? caret(partial)
                        : op == "~" || op == "~>" ? tilde(partial)
                                                  : plain(op, partial);
    comparators.insert(comparators.end(), parsed.begin(), parsed.end());
  }
  return comparators;
}

[[nodiscard]] bool holds(const Comparator& comparator, const Version& version) {
  const auto order = version <=> comparator.version;
  switch (comparator.op) {
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater:
      return order > 0;
    case Operator::greater_equal:
      return order >= 0;
    case Operator::equal:
      return version == comparator.version;
  }
  return false;
}

[[nodiscard]] bool same_numbers(const Version& left, const Version& right) {
  return left.major == right.major && left.minor == right.minor && left.patch == right.patch;
}

[[nodiscard]] std::string to_text(const Comparator& comparator) {
  // Devices that order "2.0.0-0" after "2.0.0" must still be told the right bound.
  if (comparator.op == Operator::less &&
      comparator.version.prerelease == std::vector<std::string>{"0"}) {
    const auto& v = comparator.version;
    return "<" + numbers(v.major, v.minor, v.patch).to_string();
  }
  const auto text = comparator.version.to_string();
  switch (comparator.op) {
    case Operator::less:
      return "<" + text;
    case Operator::less_equal:
      return "<=" + text;
    case Operator::greater:
      return ">" + text;
    case Operator::greater_equal:
      return ">=" + text;
    case Operator::equal:
      return text;
  }
  return text;
}

}  // namespace

VersionRange VersionRange::parse(std::string_view text) {
  const auto fail = [&](std::string_view why) {
    return base::Error(base::ErrorCode::invalid_argument,
                       "\"" + std::string(text.substr(0, kMaxRangeLength)) +
                           "\" is not a version range: " + std::string(why));
  };
  if (text.size() > kMaxRangeLength) throw fail("it is longer than 256 characters");
  VersionRange range;
  range.alternatives_.clear();
  std::string_view rest = text;
  try {
    for (;;) {
      const auto bar = rest.find("||");
      range.alternatives_.push_back(parse_alternative(rest.substr(0, bar)));
      if (bar == std::string_view::npos) return range;
      rest.remove_prefix(bar + 2);
    }
  } catch (const BadRange&) {
    throw fail("write it as \"1.2.3\", \">=1.2.0 <2.0.0\", \"^1.2.0\", \"~1.2.0\" or \"1.x\"");
  }
}

bool VersionRange::contains(const Version& version) const {
  return std::any_of(
      alternatives_.begin(), alternatives_.end(), [&](const Alternative& alternative) {
        const bool all = std::all_of(alternative.begin(), alternative.end(),
                                     [&](const Comparator& c) { return holds(c, version); });
        if (!all || !version.is_prerelease()) return all;
        return std::any_of(alternative.begin(), alternative.end(),
                           [&](const Comparator& comparator) {
                             return comparator.version.is_prerelease() &&
                                    same_numbers(comparator.version, version);
                           });
      });
}

VersionRange VersionRange::intersect(const VersionRange& other) const {
  if (alternatives_.size() * other.alternatives_.size() > kMaxAlternatives) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the version ranges \"" + to_comparators() + "\" and \"" +
                          other.to_comparators() + "\" have too many alternatives together");
  }
  VersionRange both;
  both.alternatives_.clear();
  for (const auto& left : alternatives_) {
    for (const auto& right : other.alternatives_) {
      Alternative joined = left;
      joined.insert(joined.end(), right.begin(), right.end());
      both.alternatives_.push_back(std::move(joined));
    }
  }
  return both;
}

std::string VersionRange::to_comparators() const {
  std::string text;
  for (const auto& alternative : alternatives_) {
    if (!text.empty()) text += " || ";
    if (alternative.empty()) text += ">=0.0.0";
    for (std::size_t i = 0; i < alternative.size(); ++i) {
      if (i > 0) text += ' ';
      text += to_text(alternative[i]);
    }
  }
  return text;
}

std::optional<Version> VersionRange::exact() const {
  if (alternatives_.size() != 1 || alternatives_[0].size() != 1) return std::nullopt;
  const auto& comparator = alternatives_[0][0];
  if (comparator.op != Operator::equal) return std::nullopt;
  return comparator.version;
}

}  // namespace andon::recipe

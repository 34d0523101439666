// SPDX-License-Identifier: Apache-2.0
#include "recipe/version/semver.hpp"

#include <algorithm>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::recipe {
namespace {

constexpr std::size_t kMaxVersionLength = 64;
constexpr std::uint32_t kMaxNumber = 999'999;

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), base::is_digit);
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (!all_digits(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return base::parse_integer<std::uint32_t>(text, 0, kMaxNumber);
}

bool is_identifier(std::string_view text) {
  return base::is_name_of(text, "-");
}

// semver.org 11.4: numbers by value and below texts, texts in ASCII order.
std::weak_ordering compare_identifiers(const std::string& left, const std::string& right) {
  const bool left_number = all_digits(left);
  const bool right_number = all_digits(right);
  if (left_number != right_number) {
    return left_number ? std::weak_ordering::less : std::weak_ordering::greater;
  }
  if (left_number && left.size() != right.size()) return left.size() <=> right.size();
  return left.compare(right) <=> 0;
}

std::weak_ordering compare_lists(const std::vector<std::string>& left,
                                 const std::vector<std::string>& right) {
  const auto common = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto order = compare_identifiers(left[i], right[i]);
    if (order != 0) return order;
  }
  return left.size() <=> right.size();
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  if (text.size() > kMaxVersionLength) return std::nullopt;
  Version version;
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    version.build = text.substr(plus + 1);
    const auto parts = base::split(version.build, '.');
    if (!std::all_of(parts.begin(), parts.end(), is_identifier)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    const auto parts = base::split(text.substr(dash + 1), '.');
    version.prerelease.assign(parts.begin(), parts.end());
    for (const auto& part : version.prerelease) {
      if (!is_identifier(part)) return std::nullopt;
      if (all_digits(part) && part.size() > 1 && part.front() == '0') return std::nullopt;
    }
    text = text.substr(0, dash);
  }
  const auto numbers = base::split(text, '.');
  if (numbers.size() != 3) return std::nullopt;
  const auto major_number = parse_number(numbers[0]);
  const auto minor_number = parse_number(numbers[1]);
  const auto patch_number = parse_number(numbers[2]);
  if (!major_number || !minor_number || !patch_number) return std::nullopt;
  version.major = *major_number;
  version.minor = *minor_number;
  version.patch = *patch_number;
  return version;
}

std::string Version::to_string() const {
  std::string text =
      std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  if (!prerelease.empty()) text += '-' + base::join(prerelease, ".");
  if (!build.empty()) text += '+' + build;
  return text;
}

std::weak_ordering operator<=>(const Version& left, const Version& right) {
  if (const auto order = left.major <=> right.major; order != 0) return order;
  if (const auto order = left.minor <=> right.minor; order != 0) return order;
  if (const auto order = left.patch <=> right.patch; order != 0) return order;
  if (left.is_prerelease() != right.is_prerelease()) {
    return left.is_prerelease() ? std::weak_ordering::less : std::weak_ordering::greater;
  }
  return compare_lists(left.prerelease, right.prerelease);
}

bool operator==(const Version& left, const Version& right) {
  return (left <=> right) == 0 && left.build == right.build;
}

bool is_listed_before(const Version& left, const Version& right) {
  if (const auto order = left <=> right; order != 0) return order < 0;
  const auto parts = [](const Version& version) {
    std::vector<std::string> list;
    if (version.build.empty()) return list;
    for (const auto part : base::split(version.build, '.')) list.emplace_back(part);
    return list;
  };
  const auto order = compare_lists(parts(left), parts(right));
  // "01" and "1" may compare as equal numbers; the texts never do.
  return order != 0 ? order < 0 : left.build < right.build;
}

}  // namespace andon::recipe

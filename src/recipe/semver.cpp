// SPDX-License-Identifier: Apache-2.0
#include "recipe/semver.hpp"

#include <algorithm>
#include <charconv>

namespace andon::recipe {
namespace {

constexpr std::size_t kMaxVersionLength = 64;
constexpr std::uint32_t kMaxNumber = 999'999;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (!all_digits(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > kMaxNumber) {
    return std::nullopt;
  }
  return number;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

std::vector<std::string> split_dots(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto dot = text.find('.');
    parts.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

std::string join_dots(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += '.';
    text += part;
  }
  return text;
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

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  if (text.size() > kMaxVersionLength) return std::nullopt;
  Version version;
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    version.build = text.substr(plus + 1);
    const auto parts = split_dots(version.build);
    if (!std::all_of(parts.begin(), parts.end(), is_identifier)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    version.prerelease = split_dots(text.substr(dash + 1));
    for (const auto& part : version.prerelease) {
      if (!is_identifier(part)) return std::nullopt;
      if (all_digits(part) && part.size() > 1 && part.front() == '0') return std::nullopt;
    }
    text = text.substr(0, dash);
  }
  const auto numbers = split_dots(text);
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
  if (!prerelease.empty()) text += '-' + join_dots(prerelease);
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
  const auto common = std::min(left.prerelease.size(), right.prerelease.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto order = compare_identifiers(left.prerelease[i], right.prerelease[i]);
    if (order != 0) return order;
  }
  return left.prerelease.size() <=> right.prerelease.size();
}

bool operator==(const Version& left, const Version& right) {
  return (left <=> right) == 0;
}

}  // namespace andon::recipe

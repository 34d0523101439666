// SPDX-License-Identifier: Apache-2.0
// Versions by Semantic Versioning 2.0.0, and version ranges as npm writes them (what Greengrass
// recipes and deployments use). Values; pure; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::recipe {

struct Version {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t patch = 0;
  std::vector<std::string> prerelease;  // "1.0.0-rc.1": {"rc", "1"}
  std::string build;                    // after '+'; part of the identity, not of the precedence

  // Nothing for what is not a full version of at most 64 characters with numbers up to 999999, the
  // limits of Greengrass.
  [[nodiscard]] static std::optional<Version> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_prerelease() const { return !prerelease.empty(); }
};

// Precedence of semver.org section 11: the build is ignored.
[[nodiscard]] std::weak_ordering operator<=>(const Version& left, const Version& right);
// Identity, the whole text: 1.0.0+b1 and 1.0.0+b2 are two versions of the same precedence.
[[nodiscard]] bool operator==(const Version& left, const Version& right);
// For lists and choices, where equal precedence is no answer: builds are compared as pre-releases
// are, and none comes before any. True where `left` is the lower one.
[[nodiscard]] bool is_listed_before(const Version& left, const Version& right);

// exact, = > >= < <=, blank = and, || = or, ^, ~, x-ranges (1.x, 1.2.*, *, 1), hyphen (1.0 - 2.3).
class VersionRange {
 public:
  VersionRange() = default;  // every release

  // Throws invalid_argument naming the text; the empty text is every version. At most 256
  // characters.
  [[nodiscard]] static VersionRange parse(std::string_view text);

  // A comparator that names one version ("1.0.0+b2", "=1.0.0") holds exactly that one, build and
  // all; the others compare by precedence. npm's rule for pre-releases: 2.0.0-rc.1 is contained
  // only where a comparator of the same alternative names a pre-release of 2.0.0 itself.
  [[nodiscard]] bool contains(const Version& version) const;

  // Both, as if the two texts stood beside each other with a blank: so a pre-release that one side
  // pins is accepted by the other side's plain bounds.
  [[nodiscard]] VersionRange intersect(const VersionRange& other) const;

  // The same range in plain comparators joined by single blanks (">=1.2.3 <2.0.0"), alternatives
  // joined by " || ": what the simplest devices understand, if there is one alternative.
  [[nodiscard]] std::string to_comparators() const;
  [[nodiscard]] std::size_t alternative_count() const { return alternatives_.size(); }

  // The one version that this range can hold ("1.2.3", "=1.2.3"), if it is written so.
  [[nodiscard]] std::optional<Version> exact() const;

  enum class Operator { less, less_equal, greater, greater_equal, equal };
  struct Comparator {
    Operator op = Operator::equal;
    Version version;
  };

 private:
  using Alternative = std::vector<Comparator>;  // all must hold; empty: every release
  std::vector<Alternative> alternatives_{Alternative{}};
};

}  // namespace andon::recipe

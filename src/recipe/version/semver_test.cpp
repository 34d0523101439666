// SPDX-License-Identifier: Apache-2.0
// The range cases follow the documentation of node-semver ("Ranges", "Advanced Range Syntax").
#include "recipe/version/semver.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::recipe {
namespace {

Version version(std::string_view text) {
  const auto parsed = Version::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Version{});
}

TEST(Version, PrintsWhatItRead) {
  for (const std::string_view text :
       {"0.0.0", "1.2.3", "999999.0.1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7",
        "1.0.0-x-y-z.--", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0+01"}) {
    EXPECT_EQ(version(text).to_string(), text);
  }
}

TEST(Version, IsNothingForTextThatIsNotAFullVersion) {
  for (const std::string_view text :
       {"", "1", "1.2", "1.2.3.4", "v1.2.3", "=1.2.3", " 1.2.3", "01.2.3", "1.02.3", "1.2.-3",
        "1.2.3-", "1.2.3-a..b", "1.2.3-01", "1.2.3+", "1.2.3+a+b", "1.2.x", "1000000.0.0",
        "99999999999999999999.0.0", "1.2.3-\xC3\xA4"}) {
    EXPECT_FALSE(Version::parse(text)) << text;
  }
  EXPECT_FALSE(Version::parse("1.2.3-" + std::string(60, 'a')));
}

TEST(Version, OrdersAsSemverSays) {
  const std::string_view ascending[] = {
      "0.9.9",        "1.0.0-0",       "1.0.0-2",          "1.0.0-11",
      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
      "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",       "1.0.0",
      "1.0.1",        "1.2.0",         "1.10.0",           "2.0.0-rc.1",
      "2.0.0"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      EXPECT_EQ(version(ascending[i]) <=> version(ascending[j]), i <=> j)
          << ascending[i] << " against " << ascending[j];
    }
  }
  EXPECT_EQ(version("1.0.0+a") <=> version("1.0.0+b"), std::weak_ordering::equivalent);
}

TEST(Version, IsItsWholeTextAndHasOnePlaceInAList) {
  EXPECT_NE(version("1.0.0+a"), version("1.0.0+b"));
  EXPECT_NE(version("1.0.0+a"), version("1.0.0"));
  EXPECT_EQ(version("1.0.0+a"), version("1.0.0+a"));
  const std::string_view ascending[] = {"1.0.0-rc.1+z", "1.0.0",       "1.0.0+2", "1.0.0+10",
                                        "1.0.0+a",      "1.0.0+a.1",   "1.0.0+b", "1.0.0+b.01",
                                        "1.0.0+b.02",   "1.0.1-rc+aa", "1.0.1"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      EXPECT_EQ(is_listed_before(version(ascending[i]), version(ascending[j])), i < j)
          << ascending[i] << " before " << ascending[j];
    }
  }
}

struct Reduction {
  std::string_view range;
  std::string_view comparators;
};

TEST(VersionRange, ReducesEveryFormToComparators) {
  const Reduction cases[] = {
      {"1.2.3", "1.2.3"},
      {"=1.2.3", "1.2.3"},
      {"v1.2.3", "1.2.3"},
      {"= 1.2.3", "1.2.3"},
      {">1.2.3", ">1.2.3"},
      {">= 1.2.3", ">=1.2.3"},
      {"<  1.2.3", "<1.2.3"},
      {"<=1.2.3", "<=1.2.3"},
      {">=1.2.3 <2.0.0", ">=1.2.3 <2.0.0"},
      {"  >=1.2.3   <2.0.0  ", ">=1.2.3 <2.0.0"},
      {"1.2.7 || >=1.2.9 <2.0.0", "1.2.7 || >=1.2.9 <2.0.0"},
      {"1.0.0||2.0.0", "1.0.0 || 2.0.0"},
      {"", ">=0.0.0"},
      {"*", ">=0.0.0"},
      {"x", ">=0.0.0"},
      {">=*", ">=0.0.0"},
      {">*", "<0.0.0"},
      {"1", ">=1.0.0 <2.0.0"},
      {"1.x", ">=1.0.0 <2.0.0"},
      {"1.X.x", ">=1.0.0 <2.0.0"},
      {"1.x.3", ">=1.0.0 <2.0.0"},
      {"1.2", ">=1.2.0 <1.3.0"},
      {"1.2.*", ">=1.2.0 <1.3.0"},
      {"=1.2", ">=1.2.0 <1.3.0"},
      {">1", ">=2.0.0"},
      {">1.2", ">=1.3.0"},
      {">=1.2", ">=1.2.0"},
      {"<1", "<1.0.0"},
      {"<1.2", "<1.2.0"},
      {"<=1", "<2.0.0"},
      {"<=1.2", "<1.3.0"},
      {"~1.2.3", ">=1.2.3 <1.3.0"},
      {"~>1.2.3", ">=1.2.3 <1.3.0"},
      {"~ 1.2.3", ">=1.2.3 <1.3.0"},
      {"~1.2", ">=1.2.0 <1.3.0"},
      {"~1", ">=1.0.0 <2.0.0"},
      {"~0.2.3", ">=0.2.3 <0.3.0"},
      {"~1.2.3-beta.2", ">=1.2.3-beta.2 <1.3.0"},
      {"^1.2.3", ">=1.2.3 <2.0.0"},
      {"^0.2.3", ">=0.2.3 <0.3.0"},
      {"^0.0.3", ">=0.0.3 <0.0.4"},
      {"^1.2.3-beta.2", ">=1.2.3-beta.2 <2.0.0"},
      {"^0.0.3-beta", ">=0.0.3-beta <0.0.4"},
      {"^1.2.x", ">=1.2.0 <2.0.0"},
      {"^0.0.x", ">=0.0.0 <0.1.0"},
      {"^0.0", ">=0.0.0 <0.1.0"},
      {"^0.1", ">=0.1.0 <0.2.0"},
      {"^1.x", ">=1.0.0 <2.0.0"},
      {"^0.x", ">=0.0.0 <1.0.0"},
      {"^*", ">=0.0.0"},
      {"1.2.3 - 2.3.4", ">=1.2.3 <=2.3.4"},
      {"1.2 - 2.3.4", ">=1.2.0 <=2.3.4"},
      {"1.2.3 - 2.3", ">=1.2.3 <2.4.0"},
      {"1.2.3 - 2", ">=1.2.3 <3.0.0"},
      {"1 - 2 || ^4", ">=1.0.0 <3.0.0 || >=4.0.0 <5.0.0"},
      {"* - 2.0.0", "<=2.0.0"},
  };
  for (const auto& [range, comparators] : cases) {
    EXPECT_EQ(VersionRange::parse(range).to_comparators(), comparators) << range;
  }
}

TEST(VersionRange, RefusesTextThatIsNoRangeNamingIt) {
  for (const std::string_view text : {"abc",
                                      "1.2.3.4",
                                      ">",
                                      ">=",
                                      "^",
                                      "1..2",
                                      "1.2.",
                                      ".1",
                                      "01.2",
                                      "1.2.3-",
                                      "1.2.3 -",
                                      "a - b",
                                      "=>1.2.3",
                                      "1.2.3 & 2.0.0",
                                      "1.2.3, 2.0.0",
                                      "latest",
                                      "1.x-beta",
                                      "1.2-beta",
                                      "1000000",
                                      ">1.2.3 || foo"}) {
    try {
      static_cast<void>(VersionRange::parse(text));
      FAIL() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_NE(error.message().find(text), std::string::npos) << error.message();
    }
  }
  EXPECT_THROW(static_cast<void>(VersionRange::parse(std::string(257, ' '))), base::Error);
}

struct Membership {
  std::string_view range;
  std::string_view version;
  bool contained;
};

TEST(VersionRange, ContainsWhatNpmSays) {
  const Membership cases[] = {
      {"1.0.0 - 2.0.0", "1.2.3", true},
      {"1.0.0 - 2.0.0", "2.2.3", false},
      {"^1.2.3+build", "1.2.3", true},
      {"^1.2.3+build", "1.3.0", true},
      {"1.2.3 - 2.4.3", "2.4.3", true},
      // Unlike npm: what is named is what it is, the build too.
      {"1.2.3+asdf", "1.2.3", false},
      {"1.2.3", "1.2.3+asdf", false},
      {"=1.2.3+asdf", "1.2.3+asdf", true},
      {"1.2.3+asdf || 1.2.3+b", "1.2.3+b", true},
      {">=1.2.3+asdf", "1.2.3", true},
      {"<=1.2.3", "1.2.3+asdf", true},
      {"", "1.0.0", true},
      {"*", "1.2.3", true},
      {">=1.0.0", "1.1.0", true},
      {">1.0.0", "1.0.0", false},
      {"<2.0.0", "0.2.9", true},
      {"<2.0.0", "2.0.0", false},
      {"0.1.20 || 1.2.4", "1.2.4", true},
      {"0.1.20 || 1.2.4", "1.2.3", false},
      {">=0.2.3 || <0.0.1", "0.0.0", true},
      {">=0.2.3 || <0.0.1", "0.1.0", false},
      {"||", "1.3.4", true},
      {"2.x.x", "2.1.3", true},
      {"2.x.x", "3.1.3", false},
      {"1.2.x || 2.x", "1.1.3", false},
      {"~2.4", "2.4.5", true},
      {"~2.4", "2.5.0", false},
      {"~1.0", "1.1.0", false},
      {"^0.1", "0.1.2", true},
      {"^0.1", "0.2.0", false},
      {"^0.0.1", "0.0.2", false},
      {"<1.2", "1.1.1", true},
      {">1.2", "1.2.8", false},
      {"0.7.x", "0.7.2", true},
      {"1.0.0 2.0.0", "1.0.0", false},
  };
  for (const auto& [range, text, contained] : cases) {
    EXPECT_EQ(VersionRange::parse(range).contains(version(text)), contained)
        << range << " with " << text;
  }
}

TEST(VersionRange, TakesAPreReleaseOnlyWhereItsOwnVersionIsNamedAsOne) {
  const Membership cases[] = {
      {"*", "1.0.0-rc.1", false},
      {">=1.0.0", "2.0.0-rc.1", false},
      {"^1.2.3", "2.0.0-rc.1", false},
      {"^1.2.3", "1.2.3-rc.1", false},
      {"^1.2.3-beta", "1.2.3-rc.1", true},
      {"^1.2.3-beta", "1.2.4-rc.1", false},
      {"^1.2.3-beta", "1.2.4", true},
      {">=1.2.3-beta <2.0.0", "1.2.3-alpha", false},
      {"1.2.3-rc.1", "1.2.3-rc.1", true},
      {"1.2.3", "1.2.3-rc.1", false},
      {"<=1.2.3-rc.2", "1.2.3-rc.1", true},
      {"~1.2.3-beta", "1.2.3-beta.2", true},
      {"1.x", "2.0.0-0", false},
  };
  for (const auto& [range, text, contained] : cases) {
    EXPECT_EQ(VersionRange::parse(range).contains(version(text)), contained)
        << range << " with " << text;
  }
}

TEST(VersionRange, IntersectsSoThatAPinnedPreReleasePassesPlainBounds) {
  const auto pinned = VersionRange::parse("2.0.0-rc.1");
  EXPECT_TRUE(pinned.intersect(VersionRange::parse(">=1.0.0")).contains(version("2.0.0-rc.1")));
  EXPECT_FALSE(pinned.intersect(VersionRange::parse("^1.0.0")).contains(version("2.0.0-rc.1")));
  EXPECT_FALSE(pinned.intersect(VersionRange::parse(">=2.0.0")).contains(version("2.0.0-rc.1")));
}

TEST(VersionRange, IntersectsAlternatives) {
  const auto both = VersionRange::parse("1.x || 3.x").intersect(VersionRange::parse(">=1.5.0"));
  EXPECT_EQ(both.to_comparators(), ">=1.0.0 <2.0.0 >=1.5.0 || >=3.0.0 <4.0.0 >=1.5.0");
  EXPECT_FALSE(both.contains(version("1.4.0")));
  EXPECT_TRUE(both.contains(version("1.5.0")));
  EXPECT_TRUE(both.contains(version("3.0.0")));
}

TEST(VersionRange, RefusesToMultiplyAlternativesWithoutEnd) {
  std::string many = "1.0.0";
  for (int i = 0; i < 30; ++i) many += "||1.0.0";
  const auto range = VersionRange::parse(many);
  EXPECT_THROW(static_cast<void>(range.intersect(range)), base::Error);
}

TEST(VersionRange, KnowsTheOneVersionThatItPins) {
  EXPECT_EQ(VersionRange::parse("=1.2.3").exact(), version("1.2.3"));
  EXPECT_FALSE(VersionRange::parse("1.2").exact());
  EXPECT_FALSE(VersionRange::parse("1.2.3 || 1.2.4").exact());
  EXPECT_FALSE(VersionRange{}.exact());
  EXPECT_TRUE(VersionRange{}.contains(version("1.2.3")));
}

}  // namespace
}  // namespace andon::recipe

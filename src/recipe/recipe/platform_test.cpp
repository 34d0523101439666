// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/platform.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "recipe/recipe/platform_pattern.hpp"

namespace andon::recipe {
namespace {

TEST(Platform, KnowsTheNamesOfLinuxMachines) {
  EXPECT_EQ(linux_platform("x86_64"),
            (PlatformAttributes{{"os", "linux"}, {"architecture", "amd64"}}));
  EXPECT_EQ(linux_platform("aarch64"),
            (PlatformAttributes{
                {"os", "linux"}, {"architecture", "aarch64"}, {"architecture.detail", "aarch64"}}));
  EXPECT_EQ(linux_platform("armv7l"),
            (PlatformAttributes{
                {"os", "linux"}, {"architecture", "arm"}, {"architecture.detail", "armv7l"}}));
}

struct Match {
  std::map<std::string, std::string> wanted;
  bool fits;
};

TEST(Platform, FitsWhereEveryAttributeFits) {
  const PlatformAttributes device{
      {"os", "linux"}, {"architecture", "arm"}, {"architecture.detail", "armv7l"}};
  const Match cases[] = {
      {{}, true},
      {{{"os", "linux"}}, true},
      {{{"os", "windows"}}, false},
      {{{"os", "all"}, {"architecture", "any"}}, true},
      {{{"os", "*"}, {"architecture", "arm"}}, true},
      {{{"os", "linux"}, {"architecture", "amd64"}}, false},
      {{{"architecture", "/arm|aarch64/"}}, true},
      {{{"architecture.detail", "/armv[6-8].*/"}}, true},
      {{{"architecture.detail", "/armv6.*/"}}, false},
      {{{"architecture.detail", "/arm/"}}, false},
      {{{"runtime", "*"}}, true},
      {{{"runtime", "aws_nucleus_lite"}}, false},
      {{{"runtime", "/.*/"}}, false},
      {{{"camera", "all"}}, false},
      {{{"os", "Linux"}}, false},
  };
  for (const auto& [wanted, fits] : cases) {
    EXPECT_EQ(platform_matches(wanted, device), fits)
        << (wanted.empty() ? "nothing" : wanted.begin()->first + "=" + wanted.begin()->second);
  }
}

TEST(Platform, SaysWhatTheMachineCanDoBesides) {
  PlatformAttributes x86;
  add_machine(x86,
              "processor\t: 0\nmodel name\t: X\nflags\t\t: fpu avx2 avx512_vnni_x avx512_vnni\n",
              "MemTotal:        8061324 kB\nMemFree: 1 kB\n");
  EXPECT_EQ(x86,
            (PlatformAttributes{{"avx2", "true"}, {"avx512_vnni", "true"}, {"memory", "7872"}}));
  PlatformAttributes arm;
  add_machine(arm, "processor : 0\nFeatures : fp asimd asimddp\n", "MemTotal: 1024 kB");
  EXPECT_EQ(arm, (PlatformAttributes{{"neon", "true"}, {"dotprod", "true"}, {"memory", "1"}}));
  PlatformAttributes silent;
  add_machine(silent, "", "MemTotal: much\nMemTotal: 5 kB");
  EXPECT_TRUE(silent.empty());
}

TEST(Platform, MayAskForAtLeastSoMuch) {
  const PlatformAttributes device{{"memory", "2048"}, {"os", "linux"}};
  EXPECT_TRUE(platform_matches({{"memory", ">=2048"}}, device));
  EXPECT_FALSE(platform_matches({{"memory", ">=2049"}}, device));
  EXPECT_FALSE(platform_matches({{"os", ">=1"}}, device));
  EXPECT_FALSE(platform_matches({{"cores", ">=0"}}, device));
  EXPECT_FALSE(platform_matches({{"memory", ">=2 GB"}}, device));
  EXPECT_NO_THROW(check_platform_value(">=2048"));
  for (const char* const malformed : {">=2 GB", ">=", ">=-1", "<=2", ""}) {
    EXPECT_THROW(check_platform_value(malformed), base::Error) << malformed;
  }
}

struct PatternCase {
  std::string_view pattern;
  std::string_view text;
  bool fits;
};

TEST(PlatformPattern, MatchesTheWholeText) {
  const PatternCase cases[] = {
      {"", "", true},
      {"", "a", false},
      {"abc", "abc", true},
      {"abc", "abcd", false},
      {"a|bc", "bc", true},
      {"a|bc", "ac", false},
      {"(a|b)c", "ac", true},
      {"(?:a|b)*", "abba", true},
      {"a*", "", true},
      {"a+", "", false},
      {"a?b", "b", true},
      {"a{2}", "aa", true},
      {"a{2}", "a", false},
      {"a{2,}", "aaaa", true},
      {"a{1,3}", "aaaa", false},
      {"a{0,2}b", "b", true},
      {".*", "any thing", true},
      {"[a-c]+", "abccba", true},
      {"[^a-c]", "d", true},
      {"[^a-c]", "a", false},
      {"[]a]", "]", true},
      {"[a-]", "-", true},
      {"\\d+", "042", true},
      {"\\w+", "a_1", true},
      {"\\S+", "a b", false},
      {"a\\.b", "a.b", true},
      {"a\\.b", "axb", false},
      {"^linux$", "linux", true},
      {"a*?", "aa", true},
      {"[\\d.]+", "1.2", true},
      {"(a*)*", "aaa", true},
      {"(|a)b", "b", true},
      {"((a|)|b)+", "ab", true},
  };
  for (const auto& [pattern, text, fits] : cases) {
    EXPECT_EQ(PlatformPattern(pattern).matches(text), fits) << pattern << " with " << text;
  }
}

TEST(PlatformPattern, StaysLinearWhereBacktrackingWouldNot) {
  EXPECT_FALSE(PlatformPattern("(a*)*(a*)*(a|aa)+b").matches(std::string(5000, 'a')));
}

TEST(PlatformPattern, RefusesWhatItDoesNotUnderstand) {
  for (const std::string_view pattern :
       {"(",
        ")",
        "a)",
        "[a",
        "[",
        "a**+",
        "*a",
        "+",
        "a{",
        "a{x}",
        "a{2",
        "a{3,1}",
        "a{1000}",
        "(?=a)",
        "(?<n>a)",
        "(?i)a",
        "\\1",
        "\\bx",
        "\\",
        "a++",
        "a^b",
        "a$b",
        "[z-a]",
        "[[a]]",
        "[a&&b]",
        "((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))",
        "(((a{255}){255}){255})",
        "(((((){255}){255}){255}){255})"}) {
    EXPECT_THROW(PlatformPattern{pattern}, base::Error) << pattern;
  }
  EXPECT_THROW(PlatformPattern(std::string(257, 'a')), base::Error);
}

}  // namespace
}  // namespace andon::recipe

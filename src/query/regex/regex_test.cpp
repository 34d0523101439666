// SPDX-License-Identifier: Apache-2.0
#include "query/regex/regex.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::query {
namespace {

struct Row {
  std::string pattern;
  std::string text;
  std::string match;                // "-" for none
  std::vector<std::string> groups;  // "-" for a group that took no part
};

TEST(Regex, FindsWhatTheTableSays) {
  const std::vector<Row> rows = {
      {"abc", "xxabcx", "abc", {}},
      {"a.c", "a\nc abc", "abc", {}},
      {"a+", "baaa", "aaa", {}},
      {"a+?", "baaa", "a", {}},
      {"(a)(b)?", "ac", "a", {"a", "-"}},
      {"(\\d+)-(\\d+)", "tel 12-345", "12-345", {"12", "345"}},
      {"(a|ab)(c|bcd)(d*)", "abcd", "abcd", {"a", "bcd", ""}},
      {"(z)((a+)?(b+)?(c))*", "zaacbbbcac", "zaacbbbcac", {"z", "ac", "a", "-", "c"}},
      {"^b", "ab", "-", {}},
      {"\\bfoo\\b", "a foo b", "foo", {}},
      {"[^a-c]+", "abcxyz", "xyz", {}},
      {"[\\w-]+@x", "a-b@x", "a-b@x", {}},
      {"(?=a)\\w", "ba", "a", {}},
      {"a(?!b)", "abac", "a", {}},
      {"(?<=\\$)\\d+", "cost $42", "42", {}},
      {"(?<!\\$)\\b\\d+", "cost $42 7", "7", {}},
      {"(?<year>\\d{4})", "in 2026", "2026", {"2026"}},
      {"(a)\\1", "abaa", "aa", {"a"}},
      {"x{2,3}", "xxxx", "xxx", {}},
      {"x{2,}?", "xxxx", "xx", {}},
      {"\\u00e9+", "caféé", "éé", {}},
      {"(a*)*", "b", "", {"-"}},
      {"(?:a|b|c|d){3}", "xabcd", "abc", {}},
      {"a{,2}", "a{,2}", "a{,2}", {}},
      {"[]a", "a", "-", {}},
      {"", "abc", "", {}},
  };
  for (const Row& row : rows) {
    const Regex regex(row.pattern, {});
    const auto match = regex.search(row.text);
    if (row.match == "-") {
      EXPECT_FALSE(match) << row.pattern;
      continue;
    }
    ASSERT_TRUE(match) << row.pattern;
    EXPECT_EQ(row.text.substr(match->begin, match->end - match->begin), row.match) << row.pattern;
    std::vector<std::string> groups;
    for (const auto& group : match->groups) {
      groups.push_back(group.matched ? row.text.substr(group.begin, group.end - group.begin) : "-");
    }
    EXPECT_EQ(groups, row.groups) << row.pattern;
  }
}

TEST(Regex, HonoursItsOptions) {
  EXPECT_TRUE(Regex("É[a-z]", {.ignore_case = true}).search("éX"));
  EXPECT_TRUE(Regex("^b$", {.multi_line = true}).search("a\nb\nc"));
  EXPECT_TRUE(Regex("a.b", {.dot_all = true}).search("a\nb"));
  EXPECT_TRUE(Regex("a|ab", {}).matches_all("ab"));
}

TEST(Regex, RefusesMalformedAndHugePatterns) {
  for (const std::string pattern : {"(", ")", "[a", "a**", "*", "a{2,1}", "(?<n", "\\", "[z-a]",
                                    "(a{1000}){1000}", "(?P<x>a)", "\\k<x>(?<y>a)"}) {
    EXPECT_THROW(Regex(pattern, {}), base::Error) << pattern;
  }
  EXPECT_THROW(Regex(std::string(500, '('), {}), base::Error);
}

TEST(Regex, CatastrophicPatternsEndQuickly) {
  const std::string text(20'000, 'a');
  EXPECT_FALSE(Regex("(a+)+$", {}).search(text + "b"));
  EXPECT_FALSE(Regex("(a|aa)+$", {}).search(text + "b"));
  EXPECT_FALSE(Regex("(.*)*x", {}).search(text));
  EXPECT_THROW((void)Regex("(a+)+\\1$", {}).search(text + "b"), base::Error);
}

}  // namespace
}  // namespace andon::query

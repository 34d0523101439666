// SPDX-License-Identifier: Apache-2.0
#include "query/search/search_query.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/error/error.hpp"

namespace andon::query {
namespace {

using Document = std::multimap<std::string, std::string>;

const Document kPress{{"thingName", "press-4"},
                      {"thingTypeName", "press"},
                      {"thingGroupNames", "hall-2"},
                      {"thingGroupNames", "line-4"},
                      {"attributes.line", "4"},
                      {"attributes.note", "left (new)"},
                      {"attributes.a:b", "x"},
                      {"connectivity.connected", "true"},
                      {"connectivity.timestamp", "1795343912000"}};

bool finds(std::string_view query, const Document& document = kPress) {
  return SearchQuery::parse(query).matches([&](const std::string& field) {
    std::vector<std::string> values;
    const auto [first, last] = document.equal_range(field);
    for (auto one = first; one != last; ++one) values.push_back(one->second);
    return values;
  });
}

TEST(SearchQuery, FindsWhatIsMeant) {
  for (const std::string_view query :
       {"*",
        "thingName:press-4",
        "thingName: press-* OR thingName: none",
        "attributes.line:4 AND connectivity.connected:true",
        "attributes.line:4 connectivity.connected:true",
        "thingName:press*",
        "thingName:p?ess-*4",
        "thingGroupNames:hall-2 AND thingGroupNames:line-4",
        "attributes.line:(3 OR 4)",
        "NOT attributes.line:5",
        "-attributes.line:5",
        "attributes.line:[1 TO 4]",
        "attributes.line:{3 TO 5}",
        "attributes.line:[4 TO *]",
        "attributes.line>3",
        "attributes.line<=4",
        "attributes.line:4.0 OR thingTypeName:press",
        "attributes.note:\"left (new)\"",
        "attributes.a\\:b:x",
        "attributes.line:*",
        "NOT attributes.missing:*",
        "(thingName:none OR thingName:press-4) AND NOT thingName:x",
        "connectivity.timestamp>1795343911999",
        "NOT (attributes.line:5 OR attributes.line:6)",
        "thingName:none OR attributes.line:4 AND thingTypeName:press"}) {
    EXPECT_TRUE(finds(query)) << query;
  }
}

TEST(SearchQuery, LeavesOutWhatIsNot) {
  for (const std::string_view query :
       {"thingName:press", "thingName:\"press*\"", "thingName:press\\*", "attributes.line:44",
        "attributes.line:{4 TO 5}", "attributes.line>4", "attributes.line:[10 TO 40]",
        "attributes.missing:*", "attributes.line:4 AND NOT connectivity.connected:true",
        "thingName:Press-4", "attributes.missing<5"}) {
    EXPECT_FALSE(finds(query)) << query;
  }
}

TEST(SearchQuery, NumbersAreComparedAsNumbersAndTextsAsTexts) {
  EXPECT_TRUE(finds("v>9", {{"v", "10"}}));
  EXPECT_FALSE(finds("v>b", {{"v", "a"}}));
  EXPECT_TRUE(finds("v:[-5 TO -1]", {{"v", "-3"}}));
}

TEST(SearchQuery, WhatIsWrongIsNamedWithItsColumn) {
  for (const std::string_view query :
       {"", "a", "a:", ":b", "(a:b", "a:b)", "a:b AND", "a:[1 2]", "a:[1 TO 2", "a:\"b", "\"a\"",
        "a:b\\", "NOT", "OR a:b", "a:()"}) {
    try {
      (void)SearchQuery::parse(query);
      ADD_FAILURE() << query << " is accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_NE(std::string(error.message()).find("column"), std::string::npos) << error.message();
    }
  }
}

TEST(SearchQuery, TooLongTooDeepAndTooManyTermsAreRefused) {
  std::string many = "a:b";
  for (int i = 0; i < 50; ++i) many += " a:b";
  std::string deep;
  for (int i = 0; i < 30; ++i) deep += "(";
  std::string negated;
  for (int i = 0; i < 300; ++i) negated += "-";
  for (const std::string& query : {std::string(1001, 'a'), many, deep, negated + "a:b"}) {
    EXPECT_THROW((void)SearchQuery::parse(query), base::Error) << query.substr(0, 40);
  }
}

TEST(SearchQuery, NamesItsFieldsOnce) {
  EXPECT_EQ(SearchQuery::parse("a:1 OR (b:2 AND a:3)").fields(),
            (std::vector<std::string>{"a", "b"}));
}

TEST(SearchQuery, APatternOfManyStarsIsQuick) {
  std::string pattern = "a:";
  for (int i = 0; i < 400; ++i) pattern += "a*";
  EXPECT_FALSE(finds(pattern + "b", {{"a", std::string(800, 'a')}}));
}

}  // namespace
}  // namespace andon::query

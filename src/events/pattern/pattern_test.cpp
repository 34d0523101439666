// SPDX-License-Identifier: Apache-2.0
#include "events/pattern/pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::events {
namespace {

bool matches(std::string_view pattern, std::string_view event) {
  return Pattern(pattern).matches(base::parse_json(event, "event").as_object());
}

std::string refusal(std::string_view pattern) {
  constexpr std::string_view kBegin = "Event pattern is not valid. Reason: ";
  try {
    const Pattern made(pattern);
    return "(taken)";
  } catch (const base::Error& error) {
    EXPECT_TRUE(error.message().starts_with(kBegin)) << error.message();
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message().substr(kBegin.size());
  }
}

struct Case {
  const char* pattern;
  const char* event;
  bool takes;
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(matches(one.pattern, one.event), one.takes) << one.pattern << " on " << one.event;
  }
}

TEST(EventPattern, FieldsAreAndValuesAreOrAndCaseCounts) {
  check({{R"({"source":["a"]})", R"({"source":"a"})", true},
         {R"({"source":["a"]})", R"({"source":"A"})", false},
         {R"({"source":["b","a"]})", R"({"source":"a"})", true},
         {R"({"source":["a"],"x":["b"]})", R"({"source":"a"})", false},
         {R"({"source":["a"],"x":["b"]})", R"({"source":"a","x":"b","y":1})", true},
         {R"({"detail":{"a":{"b":["c"]}}})", R"({"detail":{"a":{"b":"c"}}})", true},
         {R"({"detail":{"a":{"b":["c"]}}})", R"({"detail":{"a":"c"}})", false}});
}

TEST(EventPattern, LiteralsAreOfTheirType) {
  check({{R"({"n":[300]})", R"({"n":300.0})", true},
         {R"({"n":[300.0]})", R"({"n":3e2})", true},
         {R"({"n":[300]})", R"({"n":"300"})", false},
         {R"({"n":["300"]})", R"({"n":300})", false},
         {R"({"n":[null]})", R"({"n":null})", true},
         {R"({"n":[null]})", R"({"m":1})", false},
         {R"({"n":[null]})", R"({"n":""})", false},
         {R"({"n":[true]})", R"({"n":true})", true},
         {R"({"n":[true]})", R"({"n":"true"})", false},
         {R"({"n":[9007199254740993]})", R"({"n":9007199254740993})", true},
         {R"({"n":[9007199254740993]})", R"({"n":9007199254740992})", false},
         {R"({"n":[""]})", R"({"n":""})", true}});
}

TEST(EventPattern, ArraysOfAnEventAreLookedThrough) {
  check({{R"({"a":["x"]})", R"({"a":["y","x"]})", true},
         {R"({"a":["x"]})", R"({"a":["y"]})", false},
         {R"({"a":["x"]})", R"({"a":[]})", false},
         {R"({"a":["x"]})", R"({"a":[["x"]]})", true},
         {R"({"a":{"b":["x"]}})", R"({"a":[{"b":"y"},{"b":"x"}]})", true},
         // In one element.
         {R"({"a":{"b":["x"],"c":[1]}})", R"({"a":[{"b":"x","c":2},{"b":"y","c":1}]})", false},
         {R"({"a":{"b":["x"],"c":[1]}})", R"({"a":[{"b":"y","c":2},{"b":"x","c":1}]})", true}});
}

TEST(EventPattern, ADotIsAStepOnEitherSide) {
  check({{R"({"a.b":["x"]})", R"({"a":{"b":"x"}})", true},
         {R"({"a":{"b":["x"]}})", R"({"a.b":"x"})", true},
         {R"({"a":{"b.c":["x"]}})", R"({"a.b":{"c":"x"}})", true},
         {R"({"a":{"b":["x"]},"a.c":[1]})", R"({"a":[{"b":"x","c":2},{"b":"y","c":1}]})", false}});
}

TEST(EventPattern, TextsByBeginningEndCaseAndWildcard) {
  check({{R"({"a":[{"prefix":"eu-"}]})", R"({"a":"eu-west"})", true},
         {R"({"a":[{"prefix":"eu-"}]})", R"({"a":"EU-west"})", false},
         {R"({"a":[{"prefix":""}]})", R"({"a":"x"})", true},
         {R"({"a":[{"prefix":""}]})", R"({"a":1})", false},
         {R"({"a":[{"prefix":{"equals-ignore-case":"EU-"}}]})", R"({"a":"eu-west"})", true},
         {R"({"a":[{"suffix":".png"}]})", R"({"a":"x.png"})", true},
         {R"({"a":[{"suffix":".png"}]})", R"({"a":"png"})", false},
         {R"({"a":[{"suffix":{"equals-ignore-case":".PNG"}}]})", R"({"a":"x.png"})", true},
         {R"({"a":[{"equals-ignore-case":"ALICE"}]})", R"({"a":"alice"})", true},
         {R"({"a":[{"equals-ignore-case":"ALICE"}]})", R"({"a":"alice2"})", false},
         {R"({"a":[{"wildcard":"a*c"}]})", R"({"a":"abbc"})", true},
         {R"({"a":[{"wildcard":"a*c"}]})", R"({"a":"abbcd"})", false},
         {R"({"a":[{"wildcard":"*"}]})", R"({"a":""})", true},
         {R"({"a":[{"wildcard":"*a*b*"}]})", R"({"a":"xxaxxbaxx"})", true},
         {R"({"a":[{"wildcard":"*ab"}]})", R"({"a":"aabaab"})", true},
         {R"({"a":[{"wildcard":"a\\*b"}]})", R"({"a":"a*b"})", true},
         {R"({"a":[{"wildcard":"a\\*b"}]})", R"({"a":"axb"})", false},
         {R"({"a":[{"wildcard":"a\\\\*"}]})", R"({"a":"a\\b"})", true},
         {R"({"a":[{"wildcard":"a*"}]})", R"({"a":12})", false}});
}

TEST(EventPattern, AnythingButTakesOtherValuesAndNoAbsence) {
  check({{R"({"a":[{"anything-but":"x"}]})", R"({"a":"y"})", true},
         {R"({"a":[{"anything-but":"x"}]})", R"({"a":"x"})", false},
         {R"({"a":[{"anything-but":"x"}]})", R"({"b":"y"})", false},
         {R"({"a":[{"anything-but":"x"}]})", R"({"a":null})", true},
         {R"({"a":[{"anything-but":"x"}]})", R"({"a":1})", true},
         {R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"y"})", false},
         {R"({"a":[{"anything-but":[1,2]}]})", R"({"a":2.0})", false},
         {R"({"a":[{"anything-but":[1,2]}]})", R"({"a":"2"})", true},
         {R"({"a":[{"anything-but":0}]})", R"({"a":0})", false},
         {R"({"a":[{"anything-but":{"prefix":"in"}}]})", R"({"a":"out"})", true},
         {R"({"a":[{"anything-but":{"prefix":["in","out"]}}]})", R"({"a":"outer"})", false},
         {R"({"a":[{"anything-but":{"suffix":".txt"}}]})", R"({"a":"a.png"})", true},
         {R"({"a":[{"anything-but":{"suffix":[".txt",".png"]}}]})", R"({"a":"a.png"})", false},
         {R"({"a":[{"anything-but":{"equals-ignore-case":"X"}}]})", R"({"a":"x"})", false},
         {R"({"a":[{"anything-but":{"equals-ignore-case":["X","y"]}}]})", R"({"a":"z"})", true},
         {R"({"a":[{"anything-but":{"wildcard":"*/lib/*"}}]})", R"({"a":"/usr/lib/x"})", false},
         {R"({"a":[{"anything-but":{"wildcard":["*a","*b"]}}]})", R"({"a":"xc"})", true}});
}

TEST(EventPattern, NumbersByRange) {
  check({{R"({"n":[{"numeric":["=",5]}]})", R"({"n":5.0})", true},
         {R"({"n":[{"numeric":[">",0,"<=",5]}]})", R"({"n":5})", true},
         {R"({"n":[{"numeric":[">",0,"<=",5]}]})", R"({"n":0})", false},
         {R"({"n":[{"numeric":[">=",0,"<",5]}]})", R"({"n":0})", true},
         {R"({"n":[{"numeric":["<",5]}]})", R"({"n":4.999999})", true},
         {R"({"n":[{"numeric":["<",5]}]})", R"({"n":"4"})", false},
         {R"({"n":[{"numeric":[">",5]}]})", R"({"n":5000000001})", false}});
}

TEST(EventPattern, WhatIsThereIsALeaf) {
  check({{R"({"a":[{"exists":true}]})", R"({"a":null})", true},
         {R"({"a":[{"exists":true}]})", R"({"b":1})", false},
         {R"({"a":[{"exists":true}]})", R"({"a":{}})", false},
         {R"({"a":[{"exists":true}]})", R"({"a":[]})", false},
         {R"({"a":[{"exists":false}]})", R"({"a":[]})", true},
         {R"({"a":[{"exists":false}]})", R"({"a":{"b":1}})", true},
         {R"({"a":[{"exists":false}]})", R"({"a":1})", false},
         {R"({"a":{"b":[{"exists":false}]}})", R"({"c":1})", true},
         {R"({"a":{"b":[{"exists":false}]}})", R"({"a":[{"b":1},{"c":1}]})", false},
         {R"({"a":[{"exists":false},"x"]})", R"({"a":"x"})", true}});
}

TEST(EventPattern, AddressesByNetwork) {
  check({{R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"10.0.0.255"})", true},
         {R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"10.0.1.0"})", false},
         {R"({"ip":[{"cidr":"10.0.0.0/0"}]})", R"({"ip":"192.168.1.1"})", true},
         {R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"no address"})", false},
         {R"({"ip":[{"cidr":"2001:db8::/33"}]})", R"({"ip":"2001:db8:7fff::1"})", true},
         {R"({"ip":[{"cidr":"2001:db8::/33"}]})", R"({"ip":"2001:db8:8000::1"})", false},
         {R"({"ip":[{"cidr":"2001:db8::/32"}]})", R"({"ip":"10.0.0.1"})", false}});
}

TEST(EventPattern, OrIsAChoiceAtAnyLevel) {
  check({{R"({"$or":[{"a":[1]},{"b":[2]}]})", R"({"b":2})", true},
         {R"({"$or":[{"a":[1]},{"b":[2]}]})", R"({"b":1})", false},
         {R"({"c":[0],"$or":[{"a":[1]},{"b":[2]}]})", R"({"a":1})", false},
         {R"({"d":{"$or":[{"a":[1]},{"b":[2]}]}})", R"({"d":{"a":1}})", true},
         {R"({"$or":[{"a":[1],"$or":[{"x":[1]},{"y":[1]}]},{"b":[2]}]})", R"({"a":1,"y":1})", true},
         // With one choice, or a matcher's name in it, it is a field.
         {R"({"$or":["a"]})", R"({"$or":"a"})", true},
         {R"({"$or":[{"prefix":"a"},{"prefix":"b"}]})", R"({"$or":"bc"})", true}});
}

TEST(EventPattern, SeveralMatchersInOneObjectAreTheFirst) {
  check({{R"({"a":[{"prefix":"x","suffix":"y"}]})", R"({"a":"xz"})", true}});
}

TEST(EventPattern, RefusesInEventBridgesWords) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({bad)", "Invalid JSON"},
      {R"([])", "Filter is not an object"},
      {R"({})", "Empty objects are not allowed"},
      {R"({"a":{}})", "Empty objects are not allowed"},
      {R"({"a":[]})", "Empty arrays are not allowed"},
      {R"({"x":"y"})", "\"x\" must be an object or an array"},
      {R"({"a":[[1]]})", "Match value must be String, number, true, false, or null"},
      {R"({"a":[{"EXISTS":true}]})", "Unrecognized match type EXISTS"},
      {R"({"a":[{"exists":"yes"}]})", "exists match pattern must be either true or false."},
      {R"({"a":[{"prefix":1}]})", "prefix match pattern must be a string"},
      {R"({"a":[{"suffix":["x"]}]})", "suffix match pattern must be a string"},
      {R"({"a":[{"equals-ignore-case":["x"]}]})",
       "equals-ignore-case match pattern must be a string"},
      {R"({"a":[{"prefix":{"wildcard":"x"}}]})", "Unsupported prefix pattern: wildcard"},
      {R"({"a":[{"wildcard":"ab**"}]})", "Consecutive wildcard characters at pos 3"},
      {R"({"a":[{"wildcard":"a\\b"}]})", "Invalid escape character at pos 2"},
      {R"({"a":[{"wildcard":"a*a*a*a*a*a*"}]})",
       "Rule is too complex - try using fewer wildcard characters or fewer repeating character "
       "sequences after a wildcard character"},
      {R"({"a":[{"anything-but":[]}]})", "Empty arrays are not allowed"},
      {R"({"a":[{"anything-but":null}]})",
       "Value of anything-but must be an array or single string/number value."},
      {R"({"a":[{"anything-but":["x",1]}]})",
       "Inside anything but list, either all values are number or string, mixed type is not "
       "supported"},
      {R"({"a":[{"anything-but":{"prefix":""}}]})", "Null prefix/suffix not allowed"},
      {R"({"a":[{"anything-but":{"prefix":{"equals-ignore-case":"x"}}}]})",
       "Value of anything-but must be an array or single string/number value."},
      {R"({"a":[{"anything-but":{"numeric":["=",1]}}]})",
       "Unsupported anything-but pattern: numeric"},
      {R"({"a":[{"numeric":["<","x"]}]})", "Value of < must be numeric"},
      {R"({"a":[{"numeric":["="]}]})", "Value of equals must be numeric"},
      {R"({"a":[{"numeric":[]}]})", "Invalid member in numeric match: ]"},
      {R"({"a":[{"numeric":["!",1]}]})", "Unrecognized numeric range operator: !"},
      {R"({"a":[{"numeric":[">",1,">",2]}]})", "Bad numeric range operator: >"},
      {R"({"a":[{"numeric":[">",2,"<",1]}]})", "Bottom must be less than top"},
      {R"({"a":[{"numeric":["=",1,"<",2]}]})", "Too many elements in numeric expression"},
      {R"({"a":[{"numeric":[">",1,"<",2,"<",3]}]})", "Too many terms in numeric range expression"},
      {R"({"a":[{"numeric":[">",5000000001]}]})",
       "Value must be between -5.0E9 and 5.0E9, inclusive"},
      {R"({"a":[{"cidr":1}]})", "prefix match pattern must be a string"},
      {R"({"a":[{"cidr":"10.0.0.0"}]})", "Malformed CIDR, one '/' required"},
      {R"({"a":[{"cidr":"10.0.0.0/x"}]})", "Malformed CIDR, mask bits must be an integer"},
      {R"({"a":[{"cidr":"10.0.0.0/32"}]})", "IPv4 mask bits must be < 32"},
      {R"({"a":[{"cidr":"10.0.0/8"}]})", "Nonstandard IP address: 10.0.0"},
  };
  for (const auto& [pattern, reason] : cases) EXPECT_EQ(refusal(pattern), reason) << pattern;
}

TEST(EventPattern, HasLimits) {
  EXPECT_THAT(refusal("{\"a\":[\"" + std::string(Pattern::kMostBytes, 'x') + "\"]}"),
              testing::HasSubstr("longer"));
  // Ten times two choices are 1024 alternatives.
  std::string many = "{";
  for (int i = 0; i < 10; ++i) {
    many += "\"f" + std::to_string(i) + R"(":{"$or":[{"a":[1]},{"b":[1]}]},)";
  }
  many.back() = '}';
  EXPECT_THAT(refusal(many), testing::HasSubstr("too complex"));
}

}  // namespace
}  // namespace andon::events

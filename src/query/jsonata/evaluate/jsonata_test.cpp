// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/evaluate/jsonata.hpp"

#include <gmock/gmock.h>

namespace andon::query::jsonata {
namespace {

using testing::HasSubstr;

// What the expression gives as text, "undefined", or "error CODE".
std::string answer(std::string_view source, std::string_view input = "null",
                   std::string_view states = "") {
  try {
    const auto document = base::parse_json(input, "input", {.max_depth = 100});
    Random random(1);
    Environment environment;
    environment.input = &document;
    environment.random = &random;
    environment.now = base::from_epoch_millis(1'700'000'000'000);
    environment.limits.steps = 2'000'000;  // so that what never ends ends soon
    base::json::value states_input;
    if (!states.empty()) {
      states_input = base::parse_json(states, "states");
      environment.states.emplace_back("input", &states_input);
    }
    const auto value = Expression::parse(source).evaluate(environment);
    return value ? base::to_text(*value) : "undefined";
  } catch (const Error& error) {
    return "error " + error.code();
  }
}

TEST(Jsonata, GivesWhatTheTableSays) {
  const std::string orders = R"({"o":[{"s":"a","p":3,"n":2,"t":["x"]},{"s":"b","p":1,"n":1},
    {"s":"a","p":2,"n":5}],"one":[7],"e":[],"nil":null})";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"1 + 2 * 3 - 4 / 2", "5"},
      {"7 % 4", "3"},
      {"o.s", R"(["a","b","a"])"},
      {"o[0].s", R"("a")"},
      {"o[-1].n", "5"},
      {"o[p > 1].s", R"(["a","a"])"},
      {"o[s='b'].p", "1"},
      {"o[s='b'].p[]", "[1]"},
      {"o.t", R"(["x"])"},
      {"one", "[7]"},
      {"e", "[]"},
      {"nil", "null"},
      {"missing.x", "undefined"},
      {"$sum(o.(p * n))", "17"},
      {"o{s: $sum(n)}", R"({"a":7,"b":1})"},
      {"o^(>p).p", "[3,2,1]"},
      {"o^(s, n).n", "[2,5,1]"},
      {"o#$i[p < 3].{'at': $i, 'p': p}", R"([{"at":1,"p":1},{"at":2,"p":2}])"},
      {"o@$x.($x.p & '-' & $x.n)", R"(["3-2","1-1","2-5"])"},
      {"o.t.%.s", R"("a")"},
      {"*[0]", R"({"s":"a","p":3,"n":2,"t":["x"]})"},
      {"**.p", "[3,1,2]"},
      {"[1..3, 9]", "[1,2,3,9]"},
      {"'a' in o.s", "true"},
      {"missing ?? 'd'", R"("d")"},
      {"'' ?: 'd'", R"("d")"},
      {"(p := 1; $p)", "error S0212"},
      {"($f := function($n){ $n < 2 ? 1 : $n * $f($n - 1) }; $f(6))", "720"},
      {"($a := function($x, $y){ $x + $y }; $b := $a(?, 10); $b(5))", "15"},
      {"[1, 2, 3] ~> $map(function($v, $i){ $v * $i }) ~> $sum", "8"},
      {"($up := $uppercase ~> $trim; $up(' ab '))", R"("AB")"},
      {"$ ~> |o|{'z': p + 1}, 't'| ~> $lookup('o') ~> $map(function($v){ $v.z })", "[4,2,3]"},
      {"$reduce(o.p, function($a, $b){ $a & $b })", R"("312")"},
      {"$keys(o[0])", R"(["s","p","n","t"])"},
      {"$merge([{'a': 1}, {'b': 2}])", R"({"a":1,"b":2})"},
      {"$match('ab12', /([a-z])(\\d)/)[0].groups", R"(["b","1"])"},
      {"$replace('John Smith', /(\\w+)\\s(\\w+)/, '$2, $1')", R"("Smith, John")"},
      {"$split('a, b,c', /\\s*,\\s*/)", R"(["a","b","c"])"},
      {"$formatNumber(12345.6, '#,###.00')", R"("12,345.60")"},
      {"$formatInteger(2789, 'w')", R"("two thousand, seven hundred and eighty-nine")"},
      {"$formatInteger(1999, 'I')", R"("MCMXCIX")"},
      {"$parseInteger('twelve', 'w')", "12"},
      {"$fromMillis(1510067557121, '[FNn], [D1o] [MNn] [Y]')", R"("Tuesday, 7th November 2017")"},
      {"$toMillis('2017-11-07T15:12:37.121Z')", "1510067557121"},
      {"$now()", R"("2023-11-14T22:13:20.000Z")"},
      {"$string(1/3)", R"("0.333333333333333")"},
      {"$string(1e21)", R"("1e+21")"},
      {"$partition([1,2,3,4,5], 2)", "[[1,2],[3,4],[5]]"},
      {"$range(0, 10, 5)", "[0,5,10]"},
      {"$hash('x', 'MD5')", R"("9dd4e461268c8034f5c8564e155c67a6")"},
      {"$parse('{\"a\": [1]}').a", "[1]"},
      {"$random(7) = $random(7)", "true"},
      {"$length($uuid())", "36"},
      {"1 + 'a'", "error T2002"},
      {"{} + 1", "error T2001"},
      {"1 < 'a'", "error T2009"},
      {"$doesNotExist(1)", "error T1006"},
      {"$eval('1')", "error T1006"},
      {"$sqrt(-1)", "error D3060"},
      {"$number('x')", "error D3030"},
      {"$uppercase(1)", "error T0410"},
      {"$sum(['a'])", "error T0412"},
      {"$error('no')", "error D3137"},
      {"$single([1, 2], function($v){ true })", "error D3138"},
      {"1 +", "error S0207"},
      {"[1, 2", "error S0203"},
      {"'open", "error S0101"},
      {"a ] b", "error S0201"},
  };
  for (const auto& [source, expected] : rows) {
    EXPECT_EQ(answer(source, orders), expected) << source;
  }
}

TEST(Jsonata, SeesStates) {
  EXPECT_EQ(answer("$states.input.a[1] + 1", "null", R"({"a":[1,2]})"), "3");
  EXPECT_EQ(answer("$states.input.nope", "null", "{}"), "undefined");
}

TEST(Jsonata, KnowsWhatItRefersTo) {
  const auto expression = Expression::parse("$a + $states.input.x[y > $b] + z + ($c := 1; $c)");
  EXPECT_THAT(expression.free_variables(), testing::ElementsAre("a", "b", "states"));
  EXPECT_THAT(expression.top_level_names(), testing::ElementsAre("z"));
  EXPECT_THAT(expression.states_members(), testing::ElementsAre("input"));
}

TEST(Jsonata, BoundsWhatNeverEnds) {
  EXPECT_NE(answer("($f := function($n){ $f($n + 1) }; $f(1))"), "undefined");
  EXPECT_EQ(answer("($f := function($n){ 1 + $f($n + 1) }; $f(1))"), "error D1011");
  EXPECT_EQ(answer("[1..20000000]"), "error D2014");
  EXPECT_EQ(answer("($f := function($s){ $f($s & $s) }; $f('aaaaaaaa'))"), "error ");
  EXPECT_EQ(answer(std::string(5000, '(')), "error S0500");
  std::string sum = "1";
  for (int i = 0; i < 5000; ++i) sum += "+1";
  EXPECT_EQ(answer(sum), "error S0500");
  EXPECT_EQ(answer("$match('" + std::string(5000, 'a') + "b', /(a+)+$/)"), "undefined");
  // Short searches, long in all: each reads to the end of the text, in vain.
  EXPECT_EQ(answer("$count($match('" + std::string(4000, 'a') + "', /a(.*b)?/))"), "error D1012");
}

TEST(Jsonata, LetsGoOfDeeplyNestedValues) {
  EXPECT_NE(answer("($f := function($n, $l){ $n = 0 ? $count($l) : $f($n - 1, [[$l]]) }; "
                   "$f(20000, []))"),
            "");
}

TEST(Jsonata, LooksAtALargeInputWhereItIs) {
  base::json::array list;
  for (int i = 0; i < 200'000; ++i) list.push_back(base::json::object{{"v", i}});
  const base::json::value input = base::json::object{{"l", std::move(list)}};
  Environment environment;
  environment.input = &input;
  EXPECT_EQ(Expression::parse("l[199999].v").evaluate(environment), base::json::value(199999));
  EXPECT_EQ(Expression::parse("$count(l)").evaluate(environment), base::json::value(200000));
}

}  // namespace
}  // namespace andon::query::jsonata

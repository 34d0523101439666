// SPDX-License-Identifier: Apache-2.0
#include "asl/data/intrinsic.hpp"

#include <gmock/gmock.h>

#include "asl/data/failure.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

constexpr std::string_view kInput =
    R"({"s":"x,y","n":2.5,"l":[1,2,2,"1"],"e":[],"o":{"Arg1":1,"Arg2":[]},
  "p":{"Arg1":3,"z":null},"z":null,"t":true,"big":[1,2,3,4,5,6,7,8,9],"j":"{\"a\":[1]}"})";

json::value evaluate(std::string_view text, std::uint64_t seed = 1) {
  query::Random random(seed);
  Scope scope;
  scope.input = make_data(base::parse_json(kInput, "input"));
  const ContextObject context({.execution_input = scope.input.get(), .state = {{"Name", "S"}}});
  scope.context = &context;
  scope.random = &random;
  return Intrinsic::parse(text)->evaluate(scope);
}

TEST(Intrinsic, GivesWhatTheTableSays) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"States.Format('Hi {}, {}', $.s, $.n)", R"("Hi x,y, 2.5")"},
      {R"(States.Format('\{\} \\ \'{}\'', $.z))", R"("{} \\ 'null'")"},
      {"States.Format('{}|{}', $.o, $.l)", R"("{Arg1=1, Arg2=[]}|[1, 2, 2, 1]")"},
      {"States.Format('{}', $$.State.Name)", R"("S")"},
      {"States.StringToJson($.j)", R"({"a":[1]})"},
      {"States.JsonToString($.o)", R"("{\"Arg1\":1,\"Arg2\":[]}")"},
      {"States.Array()", "[]"},
      {"States.Array($.z, $.o, 'it\\'s', 1, -2.5, true)",
       R"([null,{"Arg1":1,"Arg2":[]},"it's",1,-2.5,true])"},
      {"States.ArrayPartition($.big, 4)", "[[1,2,3,4],[5,6,7,8],[9]]"},
      {"States.ArrayPartition($.e, 4)", "[]"},
      {"States.ArrayContains($.l, 2)", "true"},
      {"States.ArrayContains($.l, 1.0)", "true"},
      {"States.ArrayContains($.l, '2')", "false"},
      {"States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"},
      {"States.ArrayRange(9, 1, -4)", "[9,5,1]"},
      {"States.ArrayRange(1, 0, 1)", "[]"},
      {"States.ArrayGetItem($.big, 5)", "6"},
      {"States.ArrayLength($.e)", "0"},
      {"States.ArrayUnique($.l)", R"([1,2,"1"])"},
      {"States.Base64Encode('Data to encode')", R"("RGF0YSB0byBlbmNvZGU=")"},
      {"States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", R"("Data to encode")"},
      {"States.Hash('input data', 'SHA-1')", R"("aaff4a450a104cd177d28d18d74485e8cae074b7")"},
      {"States.Hash('', 'MD5')", R"("d41d8cd98f00b204e9800998ecf8427e")"},
      {"States.Hash($.t, 'SHA-256')",
       R"("b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b")"},
      {"States.JsonMerge($.o, $.p, false)", R"({"Arg1":3,"Arg2":[],"z":null})"},
      {"States.MathAdd(1.5, 1.51)", "4"},
      {"States.MathAdd(-1.5, 0)", "-1"},
      {"States.MathAdd(-0.5, 0.5)", "1"},
      {"States.MathAdd(111, -1)", "110"},
      {"States.StringSplit('1,2,3', ',')", R"(["1","2","3"])"},
      {"States.StringSplit(', , ,', ',')", R"([" "," "])"},
      {"States.StringSplit('a-b_c', '_-')", R"(["a","b","c"])"},
      {"States.ArrayLength(States.Array(States.Format('{}', 1), 2))", "2"},
      {"States.Format( '{}' , $.l[?(@ == 2)] )", R"("[2, 2]")"},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(base::to_text(evaluate(text)), expected) << text;
  }
}

TEST(Intrinsic, FailsWithIntrinsicFailureAndNamesTheCall) {
  for (const std::string text :
       {"States.Format('{} {}', 1)", "States.Format('x', 1)", "States.StringToJson('{')",
        "States.ArrayPartition($.big, 0)", "States.ArrayRange(1, 5, 0)",
        "States.ArrayRange(0, 1000, 1)", "States.ArrayGetItem($.big, 9)",
        "States.ArrayGetItem($.big, -1)", "States.ArrayLength('x')", "States.Base64Decode('*')",
        "States.Hash('x', 'CRC')", "States.JsonMerge($.o, $.p, true)",
        "States.JsonMerge(1, 2, false)", "States.MathRandom(5, 5)", "States.MathAdd('1', 2)",
        "States.MathAdd(3000000000, 1)", "States.Format('{', 1)"}) {
    try {
      (void)evaluate(text);
      FAIL() << text;
    } catch (const Failure& error) {
      EXPECT_EQ(error.error(), kIntrinsicFailure);
      EXPECT_THAT(error.cause(),
                  testing::StartsWith("The function '" + text + "' had the following error: "));
    }
  }
}

TEST(Intrinsic, SaysWhichPathFoundNothing) {
  try {
    (void)evaluate("States.Format('{}', $.nope)");
    FAIL();
  } catch (const Failure& error) {
    EXPECT_EQ(error.error(), kRuntime);
    EXPECT_THAT(error.cause(),
                testing::HasSubstr("The JsonPath argument for the field '$.nope' could not "
                                   "be found in the input '{"));
  }
}

TEST(Intrinsic, DrawsTheSameNumberFromTheSameSeed) {
  EXPECT_EQ(evaluate("States.MathRandom(1, 999, 7)", 1),
            evaluate("States.MathRandom(1, 999, 7)", 2));
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto drawn = evaluate("States.MathRandom(-2, 2)", seed).as_int64();
    EXPECT_GE(drawn, -2);
    EXPECT_LT(drawn, 2);
  }
  EXPECT_THAT(
      std::string(evaluate("States.UUID()").as_string()),
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(Intrinsic, IsRefusedWhereItIsMalformed) {
  std::string deep = "1";
  for (int i = 0; i < 11; ++i) deep = "States.Array(" + deep + ")";
  for (const std::string& text :
       {std::string("States.Nope()"), std::string("States.UUID(1)"), std::string("States.Format("),
        std::string("States.Format('x"), std::string("States.Array(1,)"),
        std::string("States.Array(1 2)"), std::string("States.Array($.)"),
        std::string("States.Array(abc)"), std::string("States.UUID() x"),
        std::string("States.Format()"), deep}) {
    EXPECT_THROW((void)Intrinsic::parse(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::asl

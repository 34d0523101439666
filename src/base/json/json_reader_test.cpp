// SPDX-License-Identifier: Apache-2.0
#include "base/json/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "base/error/error.hpp"

namespace andon::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::string refusal(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.message();
  }
  return "no error";
}

std::vector<std::string> texts(const std::vector<JsonProblem>& problems) {
  std::vector<std::string> texts;
  for (const auto& [place, message] : problems) texts.push_back(place + ": " + message);
  return texts;
}

constexpr std::array kColours{std::pair{std::string_view("RED"), 1},
                              std::pair{std::string_view("BLUE"), 2}};

TEST(JsonReader, NamesThePlaceOfAWrongMember) {
  const auto value =
      parse_json(R"({"a":{"b":"text","n":null}, "list": [{"x": 1}, {"x": "1"}]})", "");
  const JsonReader reader = JsonReader(value, "").child("a");
  EXPECT_EQ(reader.string("b"), "text");
  EXPECT_EQ(reader.optional_string("n"), std::nullopt);
  EXPECT_EQ(refusal([&] { (void)reader.integer("b"); }), "a.b must be a whole number");
  EXPECT_EQ(refusal([&] { (void)reader.string("absent"); }), "a.absent is missing");
  EXPECT_EQ(refusal([&] { (void)reader.child("absent"); }), "a.absent is missing");
  EXPECT_EQ(refusal([&] { (void)reader.child("b"); }), "a.b must be an object");
  EXPECT_EQ(refusal([&] { JsonReader(value.at("list"), "x"); }), "x must be an object");
  const auto children = JsonReader(value, "").children("list");
  ASSERT_EQ(children.size(), 2U);
  EXPECT_EQ(children[0].integer("x"), 1);
  EXPECT_EQ(refusal([&] { (void)children[1].integer("x"); }), "list[1].x must be a whole number");
}

TEST(JsonReader, ReadsEachTypeAndNoOther) {
  const auto value =
      parse_json(R"({"t":"x","i":7,"w":7.0,"d":1.5,"b":true,"o":{},"l":[],"s":["a","b",3]})", "");
  const JsonReader reader(value, "at");
  EXPECT_EQ(reader.optional_integer("w"), 7);
  EXPECT_EQ(reader.optional_number("i"), 7.0);
  EXPECT_EQ(reader.optional_bool("b"), true);
  EXPECT_TRUE(reader.optional_object("o")->empty());
  EXPECT_TRUE(reader.optional_array("l")->empty());
  EXPECT_TRUE(reader.child_or_empty("absent").object().empty());
  EXPECT_THAT(reader.strings("s", 2), ElementsAre("a", "b"));
  EXPECT_THAT(reader.strings("absent"), IsEmpty());
  EXPECT_EQ(refusal([&] { (void)reader.strings("s"); }), "at.s[2] must be a text");
  EXPECT_EQ(refusal([&] { (void)reader.optional_string("i"); }),
            "at.i must be a text: put it in quotes");
  EXPECT_EQ(refusal([&] { (void)reader.optional_integer("d"); }), "at.d must be a whole number");
  EXPECT_EQ(refusal([&] { (void)reader.optional_number("t"); }), "at.t must be a number");
  EXPECT_EQ(refusal([&] { (void)reader.optional_bool("i"); }), "at.i must be true or false");
  EXPECT_EQ(refusal([&] { (void)reader.optional_object("l"); }), "at.l must be an object");
  EXPECT_EQ(refusal([&] { (void)reader.optional_array("o"); }), "at.o must be a list");
  EXPECT_EQ(refusal([&] { (void)reader.optional_integer("i", 8, 9); }),
            "at.i must be between 8 and 9");
  EXPECT_EQ(refusal([&] {
              reader.allow_only({"t", "i", "w", "d", "b", "o", "l"});
            }),
            "at.s is not known; known are t, i, w, d, b, o, l");
}

TEST(JsonReader, TakesTextForNumbersAndFlagsWhereQueriesDo) {
  const auto value = parse_json(
      R"({"i":"7","d":"0.5","b":"true","x":"7x","big":"99999999999999999999","e":"","y":"TRUE"})",
      "");
  const JsonReader exact(value, "");
  EXPECT_EQ(refusal([&] { (void)exact.optional_integer("i"); }), "i must be a whole number");
  const JsonReader reader(
      value, "",
      {.texts = JsonReading::Texts::as_values, .empty_is_absent = true, .separator = ": "});
  EXPECT_EQ(reader.optional_integer("i"), 7);
  EXPECT_EQ(reader.optional_number("d"), 0.5);
  EXPECT_EQ(reader.optional_bool("b"), true);
  EXPECT_FALSE(reader.has("e"));
  EXPECT_EQ(refusal([&] { (void)reader.optional_integer("x"); }), "x: must be a whole number");
  EXPECT_EQ(refusal([&] { (void)reader.optional_integer("big"); }), "big: must be a whole number");
  EXPECT_EQ(refusal([&] { (void)reader.optional_number("x"); }), "x: is '7x', not a number");
  EXPECT_EQ(refusal([&] { (void)reader.optional_bool("y"); }), "y: must be true or false");
}

TEST(JsonReader, CollectsEveryProblemOfADocumentWhoseKeysAreInAnyCase) {
  const auto value = parse_json(
      R"({"Name":7,"COLOUR":"red","colour2":"pink","Twice":1,"twice":2,"env":{"a":1,"b":null,"c":[]},
          "below":{"x":"y"},"extra~":0})",
      "");
  std::vector<JsonProblem> problems;
  const JsonReader reader(value, "/top",
                          {.keys = JsonReading::Keys::any_case,
                           .places = JsonReading::Places::as_pointer,
                           .problems = &problems});
  EXPECT_EQ(reader.optional_string("name"), std::nullopt);
  EXPECT_EQ(reader.choice("Colour", kColours), 1);
  EXPECT_EQ(reader.choice("Colour2", kColours), std::nullopt);
  EXPECT_EQ(reader.required_text("Version"), "");
  EXPECT_THAT(reader.scalar_map("Env", "none"), ElementsAre(Pair("a", "1"), Pair("b", "none")));
  EXPECT_EQ(reader.child("Below").integer("X"), 0);
  reader.allow_only({"name", "Colour", "Colour2", "Twice", "Env", "Below"});
  EXPECT_THAT(
      texts(problems),
      ElementsAre("/top/twice: is there twice (upper and lower case do not matter)",
                  "/top/name: must be a text: put it in quotes",
                  "/top/Colour2: is \"pink\" but must be one of RED, BLUE",
                  "/top/Version: is missing", "/top/Env/c: must be a text",
                  "/top/Below/X: must be a whole number",
                  "/top/extra~0: is not known; known are name, Colour, Colour2, Twice, Env, "
                  "Below"));
  problems.clear();
  const json::value list = json::array();
  EXPECT_FALSE(JsonReader(list, "/x", {.problems = &problems}).has("a"));
  EXPECT_THAT(texts(problems), ElementsAre("/x: must be an object"));
}

}  // namespace
}  // namespace andon::base

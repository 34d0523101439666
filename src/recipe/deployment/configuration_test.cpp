// SPDX-License-Identifier: Apache-2.0
#include "recipe/deployment/configuration.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::recipe {
namespace {

struct Case {
  std::string_view current;
  std::string_view defaults;
  std::vector<std::string> reset;
  std::string_view merge;  // "" for none
  std::string_view result;
};

json::object object(std::string_view text) {
  return base::parse_json(text, "the case").as_object();
}

TEST(Configuration, ChangesByResetThenDefaultsThenMerge) {
  const Case cases[] = {
      {"{}", R"({"a":1,"b":{"c":2}})", {}, "", R"({"a":1,"b":{"c":2}})"},
      // What the device has goes before new defaults; new keys appear.
      {R"({"a":5})", R"({"a":1,"n":2})", {}, "", R"({"a":5,"n":2})"},
      {R"({"b":{"c":5}})", R"({"b":{"c":1,"d":2}})", {}, "", R"({"b":{"c":5,"d":2}})"},
      {R"({"b":7})", R"({"b":{"c":1}})", {}, "", R"({"b":7})"},
      // Merging.
      {R"({"a":1})", "{}", {}, R"({"a":2,"b":{"c":3}})", R"({"a":2,"b":{"c":3}})"},
      {R"({"b":{"c":1,"d":2}})", "{}", {}, R"({"b":{"c":3}})", R"({"b":{"c":3,"d":2}})"},
      {R"({"l":[1,2,3]})", "{}", {}, R"({"l":[4]})", R"({"l":[4]})"},
      {R"({"a":1})", "{}", {}, R"({"a":null})", R"({"a":null})"},
      {R"({"a":1})", "{}", {}, R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
      {R"({"a":{"b":1}})", "{}", {}, R"({"a":1})", R"({"a":1})"},
      // Resetting.
      {R"({"a":5})", R"({"a":1})", {"/a"}, "", R"({"a":1})"},
      {R"({"a":5,"x":1})", R"({"a":1})", {"/x"}, "", R"({"a":5})"},
      {R"({"a":5,"x":1})", R"({"a":1})", {""}, "", R"({"a":1})"},
      {R"({"b":{"c":5,"d":6}})", R"({"b":{"c":1}})", {"/b/c", "/b/d"}, "", R"({"b":{"c":1}})"},
      {R"({"a":5})", R"({"a":1})", {"/no/such/place", "/a/b"}, "", R"({"a":5})"},
      {R"({"a/b":5})", "{}", {"/a~1b"}, "", "{}"},
      {R"({"l":[1]})", R"({"l":[2]})", {"/l"}, "", R"({"l":[2]})"},
      // In this order: what was reset can be merged again.
      {R"({"a":5})", R"({"a":1})", {"/a"}, R"({"a":9})", R"({"a":9})"},
      {R"({"a":5})", R"({"a":{"b":1}})", {"/a"}, R"({"a":{"c":2}})", R"({"a":{"b":1,"c":2}})"},
  };
  for (const auto& test : cases) {
    ConfigurationUpdate update{test.reset, {}};
    if (!test.merge.empty()) update.merge = object(test.merge);
    EXPECT_EQ(
        base::to_text(update_configuration(object(test.current), object(test.defaults), update)),
        test.result)
        << test.current << " with " << test.merge;
  }
}

TEST(Configuration, RefusesToResetAnElementOfAList) {
  const auto current = object(R"({"l":[1,2]})");
  EXPECT_THROW(static_cast<void>(update_configuration(current, {}, {{"/l/0"}, {}})), base::Error);
  EXPECT_THROW(static_cast<void>(update_configuration(current, {}, {{"l"}, {}})), base::Error);
}

}  // namespace
}  // namespace andon::recipe

// SPDX-License-Identifier: Apache-2.0
#include "vision/metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ModelNames, AreReadFromPythonAndJsonNotation) {
  EXPECT_THAT(parse_names("{0: 'scratch'}"), ElementsAre("scratch"));
  EXPECT_THAT(parse_names(R"({"0": "a", "1": "b"})"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names("{1: 'b', 0: 'a',}"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names("['a', \"b\"]"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names(R"({0: 'it\'s', 1: "a \"b\"\\"})"), ElementsAre("it's", "a \"b\"\\"));
  EXPECT_THAT(parse_names("{}"), ElementsAre());
}

TEST(ModelNames, ThatAreMalformedAreRefusedWithThePlace) {
  for (const char* text : {"", "{", "{0}", "{0: scratch}", "{0: 'a'} x", "{0: 'a' 1: 'b'}",
                           "{0: 'a", "{0: 'a\\", "{'x': 'a'}", "{0: 'a', 0: 'b'}", "{1: 'a'}",
                           "{-1: 'a'}", "['a', ['b']]", "{99999999999: 'a'}"}) {
    EXPECT_THROW((void)parse_names(text), base::Error) << text;
  }
  try {
    (void)parse_names("{0: 'a', 2: 'b'}");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr("0 to 1 without gaps; 2 is one of them"));
  }
}

TEST(ModelImageSize, IsHeightThenWidth) {
  EXPECT_EQ(parse_image_size("[320, 480]"), (Size{480, 320}));
  EXPECT_EQ(parse_image_size("(320,480)"), (Size{480, 320}));
  EXPECT_EQ(parse_image_size("[640]"), (Size{640, 640}));
  EXPECT_EQ(parse_image_size(" 640 "), (Size{640, 640}));
}

TEST(ModelImageSize, ThatIsImpossibleIsRefused) {
  for (const char* text : {"", "[]", "[0, 1]", "-3", "[320, 99999]", "[1,2,3]", "640x480", "[1"}) {
    EXPECT_THROW((void)parse_image_size(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::vision

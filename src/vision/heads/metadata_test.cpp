// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

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

TEST(ModelNames, HaveTheirEscapesDecodedAsJsonAndPythonMeanThem) {
  const auto name = [](const std::string& quoted) {
    return parse_names("{0: " + quoted + "}").at(0);
  };
  EXPECT_EQ(name(R"("Sch\u00e4den")"), "Sch\u00E4den");
  EXPECT_EQ(name(R"('Sch\xe4den')"), "Sch\u00E4den");
  EXPECT_EQ(name(R"('tiefer\xa0Kratzer')"), "tiefer\u00A0Kratzer");
  EXPECT_EQ(name(R"('\u200b|\U0001f529|\101|\0|\7')"),
            std::string("\u200B|\U0001F529|A|\0|\a", 14));
  EXPECT_EQ(name(R"("\ud83d\udd29")"), "\U0001F529");
  EXPECT_EQ(name(R"("a\/b\b\f\n\r\t\v\\")"), "a/b\b\f\n\r\t\v\\");
  EXPECT_EQ(name("'a\\\nb'"), "ab");
  EXPECT_EQ(name("u'a'"), "a");
  // Python leaves these as they are.
  EXPECT_EQ(name(R"('\d\8')"), R"(\d\8)");
  for (const char* text : {R"('\x')", R"('\x4')", R"('\xgg')", R"('\u00e')", R"('\u+0e4')",
                           R"('\U00110000')", R"('\N{BULLET}')"}) {
    EXPECT_THROW((void)name(text), base::Error) << text;
  }
}

TEST(ModelNames, AreUtf8WhateverTheyWere) {
  EXPECT_THAT(parse_names("{0: 'Sch\xE4"
                          "den', 1: '\\ud800', 2: '\\ud800\\u0041'}"),
              ElementsAre("Sch\uFFFD"
                          "den",
                          "\uFFFD",
                          "\uFFFD"
                          "A"));
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

TEST(ModelStride, IsANumberOrTheLargestOfSeveral) {
  EXPECT_EQ(parse_stride("32"), 32);
  EXPECT_EQ(parse_stride(" 64 "), 64);
  EXPECT_EQ(parse_stride("32.0"), 32);
  EXPECT_EQ(parse_stride("[8, 16, 32]"), 32);
  EXPECT_EQ(parse_stride("(8,16,32,64)"), 64);
}

TEST(ModelStride, ThatCannotBeReadIsToldAsTheStride) {
  for (const char* text : {"", "[]", "many", "0", "-8", "[8, ]", "[8 16]", "[8", "99999", "32 px",
                           "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "32.5"}) {
    try {
      static_cast<void>(parse_stride(text));
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_NE(error.message().find("the model's stride"), std::string::npos) << error.message();
    }
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

TEST(Metadata, TellsWhatSettingsSayOfAKey) {
  const char* args = "{'batch': 1, 'classes': [0, {'nms': False}], 'name': \"it's\", 'nms': True}";
  EXPECT_EQ(parse_flag(args, "nms"), true);
  EXPECT_EQ(parse_flag(args, "batch"), std::nullopt);
  EXPECT_EQ(parse_flag(args, "half"), std::nullopt);
  EXPECT_EQ(parse_flag("{\"nms\": false}", "nms"), false);
  EXPECT_EQ(parse_flag("{'a': PosixPath('/x'), 'nms': True}", "nms"), std::nullopt);
  EXPECT_EQ(parse_flag("", "nms"), std::nullopt);
  EXPECT_EQ(parse_flag(std::string(100'000, '['), "nms"), std::nullopt);
}

TEST(Metadata, ReadsHowManyKeypointsThereAre) {
  EXPECT_EQ(parse_keypoint_shape("[17, 3]"), (KeypointShape{17, 3}));
  EXPECT_EQ(parse_keypoint_shape("(4,2)"), (KeypointShape{4, 2}));
  for (const char* wrong : {"[17]", "[17, 4]", "[0, 3]", "17", "[17, 3", "[-1, 2]", "[99999, 3]"}) {
    EXPECT_THROW((void)parse_keypoint_shape(wrong), base::Error) << wrong;
  }
}

}  // namespace
}  // namespace andon::vision

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"

namespace andon::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AsciiCase, LeavesOtherBytesAlone) {
  EXPECT_EQ(to_lower("X-AMZ-\xc3\x84[@`{"), "x-amz-\xc3\x84[@`{");
  EXPECT_EQ(to_upper('z'), 'Z');
  EXPECT_EQ(to_upper('{'), '{');
  EXPECT_TRUE(equal_ignoring_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_FALSE(equal_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

TEST(AsciiName, IsOfLettersDigitsAndTheOthers) {
  EXPECT_TRUE(is_name_of("camera-7_b", "-_"));
  EXPECT_FALSE(is_name_of("camera.7", "-_"));
  EXPECT_FALSE(is_name_of("", "-_"));
  EXPECT_FALSE(is_name_of("caf\xc3\xa9", "-_"));
}

TEST(Split, GivesEveryPart) {
  EXPECT_THAT(split("a//b", '/'), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", '/'), ElementsAre(""));
  EXPECT_THAT(split("/", '/'), ElementsAre("", ""));
  EXPECT_THAT(split_words("  >=1 \t <2 "), ElementsAre(">=1", "<2"));
  EXPECT_THAT(split_words(" \t"), IsEmpty());
  std::string_view rest = "a,,b";
  EXPECT_EQ(take_part(rest, ','), "a");
  EXPECT_EQ(take_part(rest, ','), "");
  EXPECT_EQ(take_part(rest, ','), "b");
  EXPECT_TRUE(rest.empty());
}

TEST(Join, UndoesSplit) {
  EXPECT_EQ(join(split("a//b", '/'), "/"), "a//b");
  EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
}

TEST(Trim, TakesBlanksFromBothEndsOnly) {
  EXPECT_EQ(trim(" \ta b \t"), "a b");
  EXPECT_EQ(trim(" \r\n"), "\r\n");
  EXPECT_EQ(trim("a\r", " \t\r"), "a");
  EXPECT_EQ(trim("   "), "");
}

TEST(Numbers, AreReadWholeOrNotAtAll) {
  EXPECT_EQ(parse_int64("-7"), -7);
  EXPECT_EQ(parse_int64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_uint64("fF", 16), 255U);
  for (const char* wrong : {"", " 1", "1 ", "+1", "1.0", "9223372036854775808", "0x1"}) {
    EXPECT_EQ(parse_int64(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(parse_uint64("-1"), std::nullopt);
  EXPECT_EQ(parse_number("1e3"), 1000);
  EXPECT_EQ(parse_number("-.5"), -0.5);
  for (const char* wrong : {"", "nan", "inf", "1e999", "1x", "0x10", " 1"}) {
    EXPECT_EQ(parse_number(wrong), std::nullopt) << wrong;
  }
}

TEST(Numbers, OutsideTheirBoundsAreNone) {
  EXPECT_EQ(parse_integer<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_integer<std::uint16_t>("65536"), std::nullopt);
  EXPECT_EQ(parse_integer<int>("-2147483649"), std::nullopt);
  EXPECT_EQ(parse_integer<std::size_t>("-1"), std::nullopt);
  EXPECT_EQ(parse_integer<int>("0", 1, 10), std::nullopt);
  EXPECT_EQ(parse_integer<int>("10", 1, 10), 10);
  EXPECT_EQ(parse_integer<int>("11", 1, 10), std::nullopt);
}

TEST(Numbers, ArePrintedInTheShortestForm) {
  EXPECT_EQ(number_text(0.87), "0.87");
  EXPECT_EQ(number_text(2), "2");
  EXPECT_EQ(number_text(1e30), "1e+30");
}

// Every form that RFC 3629 has, and every way to break one.
TEST(Utf8, IsToldFromOtherBytes) {
  for (const char* text : {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(to_valid_utf8(text), text);
    EXPECT_EQ(utf8_length(text), std::string_view(text).size());
  }
  for (const char* bytes : {"\x80", "\xc0\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xc1\xbf",
                            "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_utf8(bytes)) << to_valid_utf8(bytes);
    EXPECT_EQ(utf8_length(bytes), 0U);
    EXPECT_TRUE(is_utf8(to_valid_utf8(bytes)));
  }
  EXPECT_EQ(to_valid_utf8("a\xff\xc3\xa4\xe2\x82", "?"), "a?\xc3\xa4??");
  EXPECT_EQ(to_valid_utf8("\xff"), "\xef\xbf\xbd");
}

TEST(Utf8, IsCutBetweenCharacters) {
  const std::string_view text = "a\xc3\xa4\xe2\x82\xac";  // 1 + 2 + 3 bytes
  const std::vector<std::size_t> prefixes{0, 1, 1, 3, 3, 3, 6};
  const std::vector<std::size_t> suffixes{0, 0, 0, 3, 3, 5, 6};
  for (std::size_t limit = 0; limit <= text.size(); ++limit) {
    EXPECT_EQ(utf8_prefix(text, limit), text.substr(0, prefixes[limit])) << limit;
    EXPECT_EQ(utf8_suffix(text, limit), text.substr(text.size() - suffixes[limit])) << limit;
  }
  EXPECT_EQ(utf8_prefix("abc", 10), "abc");
}

TEST(Utf8, IsWalkedByCodePointsAndLosesNoByte) {
  EXPECT_EQ(count_code_points("a\xc3\xa4\xf0\x9f\x98\x80"), 3U);
  EXPECT_EQ(count_code_points("\xff\xe2\x82"), 3U);
  EXPECT_EQ(code_point_at("\xe2\x82\xac", 0).value, 0x20ACU);
  EXPECT_EQ(code_point_at("\xed\xa0\x80", 0).value, 0xD800U);
  EXPECT_EQ(code_point_at("\xe2\x82", 0).length, 1U);
  for (const char* text : {"a\xc3\xa4\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(to_utf8(to_code_points(text)), text);
  }
}

TEST(Escapes, MakeMarkupSafe) {
  EXPECT_EQ(escape_markup("<a b=\"c\">'&\t\n"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\t\n");
  EXPECT_EQ(escape_markup("a\x01\xc3\xa4"), "a?\xc3\xa4");
  EXPECT_EQ(escape_markup("a\x08", MarkupControls::number), "a&#8;");
}

TEST(Escapes, MakeJsonStringsSafe) {
  EXPECT_EQ(escape_json("C:\\ \"b\"\n\t\r\x1b\x7f\xc3\xa4"),
            "C:\\\\ \\\"b\\\"\\n\\t\\u000d\\u001b\x7f\xc3\xa4");
}

TEST(Escapes, MakeLabelsAndLinesSafe) {
  EXPECT_EQ(escape_label("C:\\a \"b\"\n\t"), "C:\\\\a \\\"b\\\"\\n\t");
  EXPECT_EQ(escape_controls("a\x1b[2J\r\nb\t\x7f\xc3\xa4"), "a\\x1b[2J\\x0d\nb\t\\x7f\xc3\xa4");
}

TEST(Escapes, LetNothingSteerATerminalOrTurnTextAround) {
  EXPECT_EQ(escape_line("a\nb\tc\x1b]0;t\x07"), "a\\x0ab\\x09c\\x1b]0;t\\x07");
  EXPECT_EQ(escape_controls("\xc2\x9b"
                            "2J"),
            "\\xc2\\x9b"
            "2J")
      << "CSI in one character";
  EXPECT_EQ(escape_controls("\x9b"
                            "2J"),
            "\\x9b"
            "2J")
      << "CSI in one byte, which is no UTF-8";
  EXPECT_EQ(escape_controls("gnp.\xe2\x80\xae"
                            "exe"),
            "gnp.\\xe2\\x80\\xae"
            "exe");
  EXPECT_EQ(escape_controls("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
  EXPECT_EQ(escape_line("\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "a line separator";
  EXPECT_EQ(escape_line("\xe6\xa4\x9c\xe5\x87\xba \xf0\x9f\x94\xb4"),
            "\xe6\xa4\x9c\xe5\x87\xba \xf0\x9f\x94\xb4");
}

}  // namespace
}  // namespace andon::base

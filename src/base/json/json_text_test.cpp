// SPDX-License-Identifier: Apache-2.0
#include "base/json/json_text.hpp"

#include <gtest/gtest.h>

#include "base/text/escape.hpp"

namespace andon::base {
namespace {

TEST(JsonText, SteersNoTerminalAndMeansTheSame) {
  const json::value value{{"a", "\x1b[2J \x7f \xC2\x9b \xE2\x80\xAE \xC3\xA4 \xF0\x9F\x98\x80"}};
  const std::string text = json_text(value);
  EXPECT_EQ(escape_line(text), text);
  EXPECT_EQ(parse_json(text, "test"), value);
  EXPECT_NE(text.find("\xC3\xA4 \xF0\x9F\x98\x80"), std::string::npos);
}

}  // namespace
}  // namespace andon::base

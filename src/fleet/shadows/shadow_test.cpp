// SPDX-License-Identifier: Apache-2.0
#include "fleet/shadows/shadow.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

json::object object(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}

base::ErrorCode error_of(const Shadow& shadow, std::string_view request) {
  try {
    static_cast<void>(update_shadow(shadow, object(request), 1));
  } catch (const base::Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error for " << request;
  return base::ErrorCode::internal;
}

TEST(Shadow, MergesObjectsTakesAwayNullsAndTellsTheDifference) {
  Shadow shadow = update_shadow({}, object(R"({"state":{"desired":{"a":{"x":1,"y":2},"b":3},
                                                        "reported":{"a":{"x":1}}}})"),
                                10)
                      .shadow;
  EXPECT_EQ(shadow.version, 1);
  EXPECT_EQ(base::to_text(delta_of(shadow)), R"({"a":{"y":2},"b":3})");
  const ShadowStep second =
      update_shadow(shadow,
                    object(R"({"state":{"desired":{"a":{"y":null},"b":[1]}},"version":1,)"
                           R"("clientToken":"t"})"),
                    20);
  EXPECT_EQ(base::to_text(second.shadow.state),
            R"({"desired":{"a":{"x":1},"b":[1]},"reported":{"a":{"x":1}}})");
  EXPECT_EQ(base::to_text(second.shadow.metadata),
            R"({"desired":{"a":{"x":{"timestamp":10}},"b":{"timestamp":20}},)"
            R"("reported":{"a":{"x":{"timestamp":10}}}})");
  EXPECT_EQ(second.accepted.at("version").to_number<int>(), 2);
  EXPECT_EQ(second.accepted.at("clientToken"), "t");
  EXPECT_EQ(base::to_text(get_shadow(second.shadow, "", {}, 30).accepted.at("state").at("delta")),
            R"({"b":[1]})");
  EXPECT_EQ(
      base::to_text(
          update_shadow(second.shadow, object(R"({"state":{"desired":null}})"), 40).shadow.state),
      R"({"reported":{"a":{"x":1}}})");
}

TEST(Shadow, RefusesWhatItCannotKeep) {
  const Shadow shadow = update_shadow({}, object(R"({"state":{}})"), 1).shadow;
  using base::ErrorCode;
  EXPECT_EQ(error_of(shadow, R"({"state":{},"version":7})"), ErrorCode::conflict);
  EXPECT_EQ(error_of(shadow, R"({"state":{"wished":{}}})"), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(shadow, R"({"state":{"desired":1}})"), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(shadow, R"({})"), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(shadow, R"({"state":{"desired":{"a":")" + std::string(9000, 'x') + R"("}}})"),
            ErrorCode::resource_exhausted);
  std::string deep = "1";
  for (int i = 0; i < 9; ++i) deep = R"({"a":)" + deep + "}";
  EXPECT_EQ(error_of(shadow, R"({"state":{"desired":)" + deep + "}}"), ErrorCode::invalid_argument);
}

TEST(Shadow, OneThatIsMadeAgainGoesOnWithItsVersion) {
  Shadow shadow = update_shadow({}, object(R"({"state":{"desired":{"a":1}}})"), 1).shadow;
  const ShadowStep gone = delete_shadow(shadow, "", object(R"({"clientToken":"t"})"), 5);
  EXPECT_EQ(base::to_text(gone.accepted), R"({"version":1,"timestamp":5,"clientToken":"t"})");
  shadow = gone.shadow;
  EXPECT_THROW(static_cast<void>(get_shadow(shadow, "", {}, 6)), base::Error);
  EXPECT_THROW(static_cast<void>(delete_shadow(shadow, "", {}, 6)), base::Error);
  const Shadow again =
      update_shadow(shadow, object(R"({"state":{"reported":{"b":1}},"version":0})"), 2).shadow;
  EXPECT_EQ(again.version, 2);
  EXPECT_EQ(base::to_text(again.state), R"({"reported":{"b":1}})");
}

TEST(Shadow, TellsWhoListensOfTheDifferenceAndOfBothDocuments) {
  const Shadow first = update_shadow({}, object(R"({"state":{"reported":{"a":1}}})"), 1).shadow;
  const ShadowStep step = update_shadow(
      first, object(R"({"state":{"desired":{"a":2,"b":{"c":3}}},"clientToken":"t"})"), 7);
  ASSERT_EQ(step.told.size(), 2U);
  EXPECT_EQ(step.told[0].first, "update/delta");
  EXPECT_EQ(base::to_text(step.told[0].second),
            R"({"version":2,"timestamp":7,"state":{"a":2,"b":{"c":3}},)"
            R"("metadata":{"a":{"timestamp":7},"b":{"c":{"timestamp":7}}},"clientToken":"t"})");
  EXPECT_EQ(step.told[1].first, "update/documents");
  const json::object& documents = step.told[1].second;
  EXPECT_EQ(base::to_text(documents.at("previous").at("state")), R"({"reported":{"a":1}})");
  EXPECT_EQ(documents.at("current").at("version").to_number<int>(), 2);
  const ShadowStep same =
      update_shadow(step.shadow, object(R"({"state":{"reported":{"a":2,"b":{"c":3}}}})"), 8);
  ASSERT_EQ(same.told.size(), 1U);
  EXPECT_EQ(same.told[0].first, "update/documents");
}

TEST(Shadow, ARefusalHasTheCodeOfHttpAndTheTokenOfTheRequest) {
  const json::object request = object(R"({"clientToken":"t"})");
  const auto code = [&](base::ErrorCode of) {
    return shadow_rejection(base::Error(of, "why"), request, 3).at("code").to_number<int>();
  };
  EXPECT_EQ(code(base::ErrorCode::conflict), 409);
  EXPECT_EQ(code(base::ErrorCode::not_found), 404);
  EXPECT_EQ(code(base::ErrorCode::invalid_argument), 400);
  EXPECT_EQ(code(base::ErrorCode::resource_exhausted), 413);
  EXPECT_EQ(base::to_text(shadow_rejection({base::ErrorCode::conflict, "why"}, request, 3)),
            R"({"code":409,"message":"why","timestamp":3,"clientToken":"t"})");
}

TEST(Shadow, APatchMakesOneStateOutOfAnother) {
  const json::object from = object(R"({"a":1,"b":{"c":2,"d":3},"e":4})");
  const json::object to = object(R"({"a":1,"b":{"c":5},"f":[1]})");
  EXPECT_EQ(base::to_text(patch_between(from, to)), R"({"b":{"c":5,"d":null},"f":[1],"e":null})");
  EXPECT_TRUE(patch_between(to, to).empty());
}

}  // namespace
}  // namespace andon::fleet

// SPDX-License-Identifier: Apache-2.0
#include "api/constraints/constraints.hpp"

#include <gmock/gmock.h>

#include "api/table/operation.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;
namespace json = base::json;

std::string refusal(const json::value& value, MemberKind kind) {
  try {
    check_members({{"member", value}}, {{.name = "member", .kind = kind, .least = 0, .most = 100}});
  } catch (const ServiceError& error) {
    return error.code() + ": " + error.what();
  }
  return "it was taken";
}

TEST(Constraints, AFractionIsNoWholeNumber) {
  EXPECT_EQ(refusal(50, MemberKind::number), "it was taken");
  EXPECT_EQ(refusal(50.0, MemberKind::number), "it was taken");
  for (const json::value& value : {json::value(0.5), json::value(1e300), json::value(-1e300),
                                   json::value("5"), json::value(18'446'744'073'709'551'615ULL)}) {
    EXPECT_THAT(refusal(value, MemberKind::number), HasSubstr("SerializationException"))
        << base::to_text(value);
  }
}

TEST(Constraints, AFractionIsHeldToItsBounds) {
  EXPECT_EQ(refusal(0.5, MemberKind::fraction), "it was taken");
  EXPECT_EQ(refusal(100, MemberKind::fraction), "it was taken");
  for (const double value : {100.5, 1e300, -0.5, -1e300}) {
    EXPECT_THAT(refusal(value, MemberKind::fraction), HasSubstr("ValidationException")) << value;
  }
}

}  // namespace
}  // namespace andon::api

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

TEST_F(S3Test, ABucketTellsEventBridgeOrNobody) {
  const auto configure = [&](const std::string& inner) {
    return put("/parts?notification",
               "<NotificationConfiguration>" + inner + "</NotificationConfiguration>");
  };
  EXPECT_THAT(get("/parts?notification"), Not(HasSubstr("<EventBridgeConfiguration>")));
  EXPECT_EQ(configure("<EventBridgeConfiguration/>").status, 200);
  EXPECT_THAT(get("/parts?notification"), HasSubstr("<EventBridgeConfiguration>"));
  for (const char* other :
       {"TopicConfiguration", "QueueConfiguration", "CloudFunctionConfiguration", "SomethingNew"}) {
    const auto refused = configure(std::string("<") + other + "/>");
    EXPECT_EQ(code_of(refused), "NotImplemented");
    EXPECT_THAT(message_of(refused), HasSubstr(other));
  }
  EXPECT_THAT(get("/parts?notification"), HasSubstr("<EventBridgeConfiguration>"));
  EXPECT_EQ(configure("").status, 200);
  EXPECT_THAT(get("/parts?notification"), Not(HasSubstr("<EventBridgeConfiguration>")));
  EXPECT_EQ(code_of(put("/parts?notification", "<Other/>")), "MalformedXML");
  EXPECT_EQ(code_of(send({.target = "/none?notification"})), "NoSuchBucket");
}

}  // namespace
}  // namespace andon::api

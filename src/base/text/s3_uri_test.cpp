// SPDX-License-Identifier: Apache-2.0
#include "base/text/s3_uri.hpp"

#include <gtest/gtest.h>

namespace andon::base {
namespace {

std::string parsed(std::string_view uri) {
  const auto found = parse_s3_uri(uri);
  return found ? found->bucket + " | " + found->key : "none";
}

TEST(S3Uri, HasABucketAndWhatStandsBehindIt) {
  EXPECT_EQ(parsed("s3://plant/line/1.jpg"), "plant | line/1.jpg");
  EXPECT_EQ(parsed("s3://plant//x/"), "plant | /x/");
  EXPECT_EQ(parsed("s3://plant/"), "plant | ");
  EXPECT_EQ(parsed("s3://plant"), "plant | ");
}

TEST(S3Uri, OfAnotherSchemeOrWithoutABucketIsNone) {
  for (const char* const uri : {"", "s3:", "s3://", "s3:///key", "S3://a/b", "http://a/b", "a/b"}) {
    EXPECT_EQ(parsed(uri), "none") << uri;
  }
}

}  // namespace
}  // namespace andon::base

// SPDX-License-Identifier: Apache-2.0
#include "api/device/artifact_links.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

wire::HttpRequest request_with(const std::string& query) {
  wire::HttpRequest request;
  request.target = "/blob?" + query;
  request.path = "/blob";
  request.query = wire::parse_query(query).value();
  return request;
}

TEST(ArtifactLinks, ALinkIsOfOneThingAndOneBlobAndOverAfterAQuarterOfAnHour) {
  const ArtifactLinks links("key");
  const base::Timestamp now = base::from_epoch_millis(1'800'000'000'000);
  const std::string query = links.query_for("ab", "a b", now);
  EXPECT_EQ(links.holder_of(request_with(query), "ab", now), "a b");
  EXPECT_EQ(links.holder_of(request_with(query), "ab", now + ArtifactLinks::kLifetime), "a b");
  const auto is_refused = [&](const std::string& text, const std::string& blob,
                              base::Timestamp at) {
    try {
      (void)links.holder_of(request_with(text), blob, at);
      return false;
    } catch (const base::Error& error) {
      return error.code() == base::ErrorCode::permission_denied;
    }
  };
  EXPECT_TRUE(is_refused(query, "ac", now));
  EXPECT_TRUE(is_refused(query, "ab", now + ArtifactLinks::kLifetime + std::chrono::seconds(1)));
  EXPECT_TRUE(is_refused(query + "0", "ab", now));
  EXPECT_TRUE(is_refused("thing=b&" + query.substr(query.find("until")), "ab", now));
  EXPECT_TRUE(is_refused("", "ab", now));
  EXPECT_TRUE(is_refused(ArtifactLinks("other").query_for("ab", "a b", now), "ab", now));
}

}  // namespace
}  // namespace andon::api

// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/signature.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"

namespace andon::events {
namespace {

const std::string kSecret = "It's a Secret to Everybody";
const std::string kBody = "Hello, World!";
const base::Timestamp kNow = base::from_epoch_millis(1'795'341'600'000);

wire::Headers headers(const std::vector<std::pair<std::string, std::string>>& all) {
  wire::Headers made;
  for (const auto& [name, value] : all) made.set(name, value);
  return made;
}

std::optional<Push> proven(const wire::Headers& headers, std::string_view body,
                           const std::string& secret, base::Timestamp now) {
  auto judged = verify_push(headers, body, secret, now);
  if (auto* push = std::get_if<Push>(&judged)) return std::move(*push);
  EXPECT_NE(std::get<Doubt>(judged).reason, "");
  return std::nullopt;
}

std::string doubt(const wire::Headers& headers, const std::string& secret) {
  const Doubt why = std::get<Doubt>(verify_push(headers, kBody, secret, kNow));
  return std::string(why.forge) + ": " + std::string(why.reason);
}

TEST(PushSignature, OfGitHubIsTheOneOfItsDocumentation) {
  const std::string good = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  const auto push = proven(headers({{"X-Hub-Signature-256", "sha256=" + good},
                                    {"X-GitHub-Event", "push"},
                                    {"X-GitHub-Delivery", "id-1"}}),
                           kBody, kSecret, kNow);
  ASSERT_TRUE(push);
  EXPECT_EQ(push->forge, "github");
  EXPECT_EQ(push->event, "push");
  EXPECT_EQ(push->delivery, "id-1");
  for (const std::string& wrong : {std::string(), good, "sha1=" + good, "sha256=" + good + "0",
                                   "sha256=" + std::string(64, '0')}) {
    EXPECT_FALSE(proven(headers({{"X-Hub-Signature-256", wrong}}), kBody, kSecret, kNow)) << wrong;
  }
  EXPECT_FALSE(
      proven(headers({{"X-Hub-Signature-256", "sha256=" + good}}), "Hello", kSecret, kNow));
  EXPECT_FALSE(proven(headers({{"X-Hub-Signature-256", "sha256=" + good}}), kBody, "", kNow));
}

TEST(PushSignature, OfGiteaIsTriedBeforeGitHubs) {
  const std::string good = base::to_hex(trust::hmac_sha256(kSecret, kBody));
  const auto push = proven(headers({{"X-Gitea-Signature", good},
                                    {"X-Hub-Signature-256", "sha256=" + good},
                                    {"X-Gitea-Event", "push"},
                                    {"X-GitHub-Event", "push"}}),
                           kBody, kSecret, kNow);
  ASSERT_TRUE(push);
  EXPECT_EQ(push->forge, "gitea");
  EXPECT_FALSE(
      proven(headers({{"X-Gitea-Signature", "00"}, {"X-Hub-Signature-256", "sha256=" + good}}),
             kBody, kSecret, kNow));
}

TEST(PushSignature, OfGitLabIsATokenOrSignedWithItsTime) {
  const auto push = proven(headers({{"X-Gitlab-Token", kSecret},
                                    {"X-Gitlab-Event", "Tag Push Hook"},
                                    {"X-Gitlab-Event-UUID", "u"}}),
                           kBody, kSecret, kNow);
  ASSERT_TRUE(push);
  EXPECT_EQ(push->event, "tag_push");
  EXPECT_EQ(push->delivery, "u");
  EXPECT_FALSE(proven(headers({{"X-Gitlab-Token", kSecret + "x"}}), kBody, kSecret, kNow));

  const auto signed_at = [&](std::int64_t seconds) {
    const std::string time = std::to_string(seconds);
    const auto mac = trust::hmac_sha256(kSecret, "id-1." + time + "." + kBody);
    return headers({{"webhook-id", "id-1"},
                    {"webhook-timestamp", time},
                    {"webhook-signature",
                     "v1,AAAA v1," + base::to_base64({reinterpret_cast<const char*>(mac.data()),
                                                      mac.size()})}});
  };
  EXPECT_TRUE(proven(signed_at(1'795'341'600), kBody, kSecret, kNow));
  EXPECT_FALSE(proven(signed_at(1'795'341'600 - 301), kBody, kSecret, kNow));
  EXPECT_FALSE(proven(signed_at(1'795'341'600 + 301), kBody, kSecret, kNow));
  EXPECT_FALSE(proven(signed_at(1'795'341'600), kBody, "another", kNow));
  EXPECT_EQ(doubt(signed_at(1'795'341'600 - 301), kSecret),
            "gitlab: it says that it was signed at another time than now: look at the clocks");
  EXPECT_EQ(doubt(signed_at(1'795'341'600), "another"),
            "gitlab: its signature was not made with the webhook's secret");
}

TEST(PushSignature, WithoutAProofThereIsNone) {
  EXPECT_EQ(doubt(headers({{"X-GitHub-Event", "push"}}), kSecret),
            ": it has no signature of a forge that is known");
  EXPECT_EQ(doubt(headers({{"X-Hub-Signature-256", "sha256=00"}}), kSecret),
            "github: its signature was not made with the webhook's secret");
}

}  // namespace
}  // namespace andon::events

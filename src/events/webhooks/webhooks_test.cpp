// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/webhooks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"
#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"

namespace andon::events {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Kind = PushOutcome::Kind;

const std::string kSecret = "a secret of more than sixteen characters";

class WebhooksTest : public testing::Test {
 protected:
  WebhooksTest() {
    restart();
    webhooks_->put("plant", kSecret);
  }

  void restart(EventQueue::Limits limits = {}) {
    webhooks_.reset();
    queue_ = std::make_unique<EventQueue>(*database_, clock_,
                                          EventArns("us-east-1", "000000000000"), rules_, limits);
    webhooks_ = std::make_unique<Webhooks>(*queue_, key_, clock_, [this] { ++not_taken_; });
  }
  Webhooks::Taken push(const std::string& body, const std::string& secret = kSecret,
                       const std::string& name = "plant", const std::string& delivery = {}) {
    clock_.advance(seconds(1));
    wire::Headers headers;
    headers.set("X-Hub-Signature-256", "sha256=" + base::to_hex(trust::hmac_sha256(secret, body)));
    headers.set("X-GitHub-Event", "push");
    if (!delivery.empty()) headers.set("X-GitHub-Delivery", delivery);
    return webhooks_->take(name, headers, body, "192.0.2.7");
  }
  static std::string commit(int number) {
    return R"({"ref":"refs/heads/main","after":")" + std::to_string(number) +
           R"(","repository":{"full_name":"plant/code"}})";
  }
  std::vector<PushOutcome> outcomes(std::size_t limit = 100) {
    return webhooks_->outcomes("plant", limit);
  }
  std::int64_t rows(const std::string& table) {
    return database_->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT count(*) FROM " + table)->integer(0);
    });
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'341'600'000)};
  trust::SealingKey key_{trust::SealingKey::make()};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "andon.db");
  Rules rules_{*database_, clock_};
  std::unique_ptr<EventQueue> queue_;
  std::unique_ptr<Webhooks> webhooks_;
  int not_taken_ = 0;  // as it was told at once
};

TEST_F(WebhooksTest, WhatWasTakenIsToldWithItsEventAlsoAfterARestart) {
  ASSERT_EQ(push(commit(1), kSecret, "plant", "id-1"), Webhooks::Taken::taken);
  restart();
  const auto told = outcomes();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].kind, Kind::taken);
  EXPECT_EQ(told[0].at, clock_.now());
  EXPECT_EQ(told[0].forge, "github");
  EXPECT_EQ(told[0].event, "push");
  EXPECT_EQ(told[0].delivery, "id-1");
  EXPECT_EQ(told[0].repository, "plant/code");
  EXPECT_EQ(told[0].ref, "refs/heads/main");
  EXPECT_EQ(told[0].commit, "1");
  EXPECT_EQ(told[0].from, "192.0.2.7");
  EXPECT_THAT(told[0].event_id, SizeIs(36));
}

TEST_F(WebhooksTest, WhatWasRefusedIsCountedInOneRowAKindHoweverOftenItComes) {
  ASSERT_EQ(push(commit(0)), Webhooks::Taken::taken);
  for (int i = 1; i <= 300; ++i) {
    EXPECT_EQ(push(commit(i), "another secret altogether"), Webhooks::Taken::refused);
    EXPECT_EQ(push(commit(0)), Webhooks::Taken::repeated);
    EXPECT_EQ(push("no JSON"), Webhooks::Taken::malformed);
  }
  EXPECT_EQ(rows("webhook_refusals"), 0);  // nobody makes the server write by sending rubbish
  webhooks_->keep_outcomes();
  EXPECT_EQ(rows("webhook_refusals"), 3);
  EXPECT_EQ(push(commit(1), "another secret altogether"), Webhooks::Taken::refused);
  const auto told = outcomes();
  ASSERT_THAT(told, SizeIs(4));
  EXPECT_EQ(told[0].kind, Kind::refused);
  EXPECT_EQ(told[0].at, clock_.now());
  EXPECT_EQ(told[0].count, 301);
  EXPECT_EQ(told[0].reason, "its signature was not made with the webhook's secret");
  EXPECT_EQ(told[1].kind, Kind::malformed);
  EXPECT_EQ(told[1].count, 300);
  EXPECT_EQ(told[2].kind, Kind::repeated);
  EXPECT_EQ(told[2].count, 300);
  EXPECT_EQ(told[3].kind, Kind::taken);
  restart();
  EXPECT_EQ(outcomes().front().count, 301);
  EXPECT_THAT(outcomes(1), SizeIs(1));
}

TEST_F(WebhooksTest, WhoeverLooksIsToldOfEachPushThatIsNotTaken) {
  ASSERT_EQ(push(commit(0)), Webhooks::Taken::taken);
  EXPECT_EQ(not_taken_, 0);  // its delivery is told
  ASSERT_EQ(push(commit(1), "another secret altogether"), Webhooks::Taken::refused);
  EXPECT_EQ(not_taken_, 1);
  ASSERT_EQ(push(commit(0)), Webhooks::Taken::repeated);
  ASSERT_EQ(push("no JSON"), Webhooks::Taken::malformed);
  EXPECT_EQ(not_taken_, 3);
  ASSERT_EQ(push(commit(1), kSecret, "nowhere"), Webhooks::Taken::refused);
  EXPECT_EQ(not_taken_, 3);  // there is nothing to see
}

TEST_F(WebhooksTest, ANewWebhookTakesNoOthersNameWhereThatIsAskedFor) {
  const std::string other = "another secret altogether";
  try {
    webhooks_->put("plant", other, Webhooks::Existing::is_refused);
    ADD_FAILURE() << "it took the other's name";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::already_exists);
  }
  EXPECT_EQ(push(commit(1), other), Webhooks::Taken::refused);
  EXPECT_EQ(push(commit(1)), Webhooks::Taken::taken);  // with the secret that it had
  webhooks_->put("second", other, Webhooks::Existing::is_refused);
  EXPECT_EQ(push(commit(2), other, "second"), Webhooks::Taken::taken);
  webhooks_->put("plant", other);
  EXPECT_EQ(push(commit(3), other), Webhooks::Taken::taken);
}

TEST_F(WebhooksTest, TheLastThatWereTakenAreRemembered) {
  const int all = static_cast<int>(PushOutcomes::kKept) + 5;
  for (int i = 1; i <= all; ++i) ASSERT_EQ(push(commit(i)), Webhooks::Taken::taken);
  webhooks_->put("other", kSecret);
  ASSERT_EQ(push(commit(1), kSecret, "other"), Webhooks::Taken::taken);
  const auto told = outcomes();
  EXPECT_THAT(told, SizeIs(PushOutcomes::kKept));
  EXPECT_EQ(told.front().commit, std::to_string(all));
  EXPECT_EQ(told.back().commit, "6");
  EXPECT_EQ(rows("webhook_taken"), PushOutcomes::kKept + 1);
}

TEST_F(WebhooksTest, OfAWebhookThatIsNotThereNothingIsRemembered) {
  EXPECT_EQ(push(commit(1), kSecret, "nowhere"), Webhooks::Taken::refused);
  webhooks_->keep_outcomes();
  EXPECT_EQ(rows("webhook_refusals"), 0);
  try {
    (void)webhooks_->outcomes("nowhere", 1);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::not_found);
  }
  // Nor of one that was removed; one that is made anew begins without any.
  ASSERT_EQ(push(commit(1)), Webhooks::Taken::taken);
  ASSERT_EQ(push(commit(1), "another secret altogether"), Webhooks::Taken::refused);
  webhooks_->remove("plant");
  webhooks_->put("plant", kSecret);
  EXPECT_THAT(outcomes(), SizeIs(0));
}

TEST_F(WebhooksTest, WhatASenderSaysIsCutAndIsText) {
  const std::string long_ref(1'000, 'x');
  ASSERT_EQ(push(R"({"ref":")" + long_ref + R"(","after":7,"repository":"code"})", kSecret, "plant",
                 "\xff<b>"),
            Webhooks::Taken::taken);
  const PushOutcome one = outcomes().front();
  EXPECT_EQ(one.ref, long_ref.substr(0, 200));
  EXPECT_EQ(one.commit, "");
  EXPECT_EQ(one.repository, "");
  EXPECT_EQ(one.delivery, "\xEF\xBF\xBD<b>");
}

TEST_F(WebhooksTest, WhereThereIsNoRoomThatIsToldAndThePushMayComeAgain) {
  restart({.events = 1});
  ASSERT_EQ(push(commit(1)), Webhooks::Taken::taken);
  EXPECT_THROW((void)push(commit(2)), base::Error);
  const auto told = outcomes();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].kind, Kind::no_room);
  EXPECT_THAT(told[0].reason, HasSubstr("too many events"));
  restart();
  EXPECT_EQ(push(commit(2)), Webhooks::Taken::taken);
}

}  // namespace
}  // namespace andon::events

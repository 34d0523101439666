// SPDX-License-Identifier: Apache-2.0
#include "control/sessions/sessions.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "store/sql/database.hpp"

namespace andon::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() { passwords.create(owner, "Line-3-is-red", NextSignIn::as_usual); }
  std::string begin() { return sessions.begin({.principal = principal}).token; }
  bool is_there(const std::string& token) { return sessions.find(token).has_value(); }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  AccessKeys keys{*database, clock};
  Iam iam{*database, keys, clock, "000000000000"};
  Passwords passwords{*database, clock};
  Sessions sessions{*database, iam, passwords, clock};
  Entity eva = iam.entities.create({.name = "eva"});
  PasswordOwner owner{eva.id, eva.name};
  std::string principal = "user/" + eva.id;
};

TEST_F(SessionsTest, IsFoundByItsTokenOnlyAndTheTokenIsNotKept) {
  const auto begun = sessions.begin({.principal = principal, .address = "10.0.0.1"});
  EXPECT_EQ(begun.token.size(), 43U);  // 256 bits in base64url
  const auto found = sessions.find(begun.token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->principal, principal);
  EXPECT_EQ(found->address, "10.0.0.1");
  EXPECT_FALSE(is_there(begun.session.id));
  EXPECT_FALSE(is_there(""));
  EXPECT_FALSE(is_there(std::string(100'000, 'x')));
  database->read([&](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT digest || id || principal FROM console_sessions")) {
      EXPECT_THAT(row.text(0), testing::Not(testing::HasSubstr(begun.token)));
    }
  });
}

TEST_F(SessionsTest, EndsAfterAnHourInWhichNobodyUsedItAndAfterTwelveInAnyCase) {
  const auto idle = begin();
  const auto used = begin();
  for (int i = 0; i < 2; ++i) {
    clock.advance(minutes(59));
    EXPECT_TRUE(sessions.use(used)) << i;
    EXPECT_EQ(is_there(idle), i == 0) << "to look whether it is there is no use of it";
  }
  for (int i = 2; i < 12; ++i) {
    clock.advance(minutes(59));
    EXPECT_TRUE(sessions.use(used)) << i;
  }
  clock.advance(minutes(12));
  EXPECT_FALSE(is_there(used));
  EXPECT_EQ(sessions.remove_ended(10), 2);
  EXPECT_EQ(sessions.remove_ended(10), 0);
}

TEST_F(SessionsTest, EndsWithThePasswordOfItsUser) {
  const auto change = [&] { passwords.change(owner, "Line-4-is-red"); };
  const auto update = [&] { passwords.update(owner, "Line-5-is-red", {}); };
  const auto remove = [&] { passwords.remove(owner); };
  const auto create = [&] { passwords.create(owner, "Line-6-is-red", NextSignIn::as_usual); };
  for (const std::function<void()>& work :
       {std::function<void()>(change), std::function<void()>(update), std::function<void()>(remove),
        std::function<void()>(create)}) {
    const auto token = begin();
    EXPECT_TRUE(is_there(token));
    work();
    EXPECT_FALSE(is_there(token));
    EXPECT_TRUE(sessions.list(principal).empty());
  }
}

TEST_F(SessionsTest, EndsWithItsUserAlsoWhereAnotherOneOfTheNameIsMade) {
  const auto token = begin();
  passwords.remove(owner);
  iam.entities.remove(EntityKind::user, "eva");
  iam.entities.create({.name = "eva"});
  EXPECT_FALSE(is_there(token));
  EXPECT_THROW((void)begin(), base::Error);
}

TEST_F(SessionsTest, EndsWithTheKeyThatItWasBegunWith) {
  const AccessKey key = keys.create_limited(principal, 2);
  const auto of_key = [&](const AccessKey& by) {
    return sessions.begin({.principal = principal, .by = SignInBy::key, .access_key = by.id}).token;
  };
  const auto token = of_key(key);
  EXPECT_TRUE(is_there(token));
  keys.set_disabled(principal, key.id, true);
  EXPECT_FALSE(is_there(token));
  keys.set_disabled(principal, key.id, false);
  EXPECT_TRUE(is_there(token));
  keys.remove(principal, key.id);
  EXPECT_FALSE(is_there(token));
  const std::string narrow =
      R"({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})";
  const auto temporary = of_key(keys.create_session(principal, minutes(15), narrow));
  ASSERT_TRUE(is_there(temporary));
  EXPECT_EQ(sessions.find(temporary)->session_policy, narrow);
  EXPECT_EQ(sessions.find(temporary)->ends, clock.now() + minutes(15));
  clock.advance(minutes(15));
  EXPECT_FALSE(is_there(temporary));
}

TEST_F(SessionsTest, AreEndedOneByOneAndAllOfAUser) {
  const auto one = sessions.begin({.principal = principal});
  const auto two = begin();
  const auto of_account = sessions.begin({.principal = "operator"}).token;
  EXPECT_EQ(sessions.list("").size(), 3U);
  EXPECT_EQ(sessions.list(principal).size(), 2U);
  sessions.end(one.session.id);
  EXPECT_FALSE(is_there(one.token));
  EXPECT_THROW(sessions.end(one.session.id), base::Error);
  EXPECT_EQ(sessions.end_all(principal), 1);
  EXPECT_FALSE(is_there(two));
  EXPECT_TRUE(is_there(of_account));
}

TEST_F(SessionsTest, OfTooManyOfOneTheOldestEnds) {
  const auto first = begin();
  clock.advance(minutes(1));
  const auto second = begin();
  for (std::int64_t i = 0; i < Sessions::kMostOfOne - 1; ++i) {
    clock.advance(std::chrono::seconds(1));
    (void)begin();
  }
  EXPECT_FALSE(is_there(first));
  EXPECT_TRUE(is_there(second));
  EXPECT_EQ(sessions.list(principal).size(), static_cast<std::size_t>(Sessions::kMostOfOne));
}

TEST_F(SessionsTest, ALinkSignsInOnceAndForAQuarterOfAnHour) {
  const auto token = sessions.make_link(principal);
  EXPECT_EQ(sessions.take_link(token), principal);
  EXPECT_FALSE(sessions.take_link(token));
  const auto late = sessions.make_link("operator");
  clock.advance(minutes(15));
  EXPECT_FALSE(sessions.take_link(late));
  EXPECT_FALSE(sessions.take_link("x"));
  EXPECT_THROW((void)sessions.make_link("thing/line-3"), base::Error);
  for (std::int64_t i = 0; i < Sessions::kMostLinks; ++i) (void)sessions.make_link("operator");
  EXPECT_THROW((void)sessions.make_link("operator"), base::Error);
}

TEST_F(SessionsTest, TheFirstLinkIsTheAccountsAndComesOnce) {
  const auto first = sessions.first_link();
  ASSERT_TRUE(first);
  EXPECT_EQ(sessions.take_link(*first), "operator");
  Sessions again(*database, iam, passwords, clock);
  EXPECT_FALSE(again.first_link());
}

}  // namespace
}  // namespace andon::control

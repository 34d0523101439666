// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/passwords.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/parameters/named_refusal.hpp"
#include "control/passwords/password_hash.hpp"
#include "store/sql/database.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;

class PasswordsTest : public testing::Test {
 protected:
  template <typename Work>
  std::string problem_of(const Work& work) {
    try {
      work();
      return {};
    } catch (const NamedRefusal& refusal) {
      return std::string(refusal.name()) + ": " + refusal.message();
    } catch (const base::Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
  }
  bool is_right(const std::string& password) {
    return passwords.check(eva.id, {eva.name, "10.0.0.1"}, password);
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  Passwords passwords{*database, clock};
  PasswordOwner eva{"AIDA1", "eva"};
};

TEST_F(PasswordsTest, AHashNamesItsParametersAndHasASaltOfItsOwn) {
  const std::string one = hash_password("Line-3-is-red");
  EXPECT_THAT(one, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(one, hash_password("Line-3-is-red"));
  EXPECT_TRUE(is_password("Line-3-is-red", one));
  EXPECT_FALSE(is_password("Line-3-is-re", one));
  EXPECT_THROW((void)is_password("x", "Line-3-is-red"), base::Error);
  pretend_to_check("Line-3-is-red");
}

TEST_F(PasswordsTest, ThePasswordIsNotInTheDatabase) {
  passwords.create(eva, "Line-3-is-red", NextSignIn::as_usual);
  database.reset();
  for (const char* file : {"andon.db", "andon.db-wal"}) {
    const auto path = directory.path() / file;
    if (base::fs::exists(path)) {
      EXPECT_THAT(base::read_file(path), testing::Not(HasSubstr("Line-3-is-red")));
    }
  }
}

TEST_F(PasswordsTest, IsSetCheckedChangedAndRemoved) {
  EXPECT_FALSE(is_right("Line-3-is-red"));
  const auto made = passwords.create(eva, "Line-3-is-red", NextSignIn::must_change);
  EXPECT_TRUE(made.must_change);
  EXPECT_TRUE(is_right("Line-3-is-red"));
  EXPECT_FALSE(is_right(""));
  EXPECT_FALSE(is_right(std::string(100'000, 'x')));
  EXPECT_EQ(passwords.standing_of(made), Passwords::Standing::must_change);
  EXPECT_THAT(problem_of([&] { passwords.create(eva, "Line-3-is-red", NextSignIn::as_usual); }),
              HasSubstr("already_exists: Login Profile for user eva already exists."));
  clock.advance(std::chrono::hours(1));
  passwords.change(eva, "Line-4-is-red");
  const auto changed = passwords.require(eva);
  EXPECT_FALSE(changed.must_change);
  EXPECT_NE(changed.mark, made.mark);
  EXPECT_EQ(changed.created, made.created);
  EXPECT_EQ(changed.set, clock.now());
  EXPECT_FALSE(is_right("Line-3-is-red"));
  EXPECT_TRUE(is_right("Line-4-is-red"));
  passwords.update(eva, {}, NextSignIn::must_change);
  EXPECT_TRUE(passwords.require(eva).must_change);
  EXPECT_TRUE(is_right("Line-4-is-red"));
  passwords.remove(eva);
  EXPECT_FALSE(is_right("Line-4-is-red"));
  EXPECT_THAT(problem_of([&] { passwords.remove(eva); }),
              HasSubstr("not_found: Login Profile for User eva cannot be found."));
  EXPECT_THAT(problem_of([&] { passwords.update(eva, "Line-5-is-red", {}); }),
              StartsWith("not_found"));
}

TEST_F(PasswordsTest, FailuresAreLimitedAndTheRightOneIsRefusedThen) {
  passwords.create(eva, "Line-3-is-red", NextSignIn::as_usual);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(is_right("Line-3-is-red"));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(is_right("wrong"));
  EXPECT_THAT(problem_of([&] { (void)is_right("Line-3-is-red"); }),
              StartsWith("resource_exhausted: too many attempts to sign in; try again in "));
}

TEST_F(PasswordsTest, WithoutAPolicyEightCharactersOfThreeKindsAreWanted) {
  const auto problem = [&](const std::string& password) {
    return problem_of([&] {
      passwords.create(eva, password, NextSignIn::as_usual);
      passwords.remove(eva);
    });
  };
  EXPECT_EQ(problem("Abcdefg1"), "");
  EXPECT_EQ(problem("\xc3\xbc"
                    "bercdef-G"),
            "");
  EXPECT_THAT(problem("Abcdef1"), HasSubstr("PasswordPolicyViolation: Password should have a "
                                            "minimum length of 8"));
  EXPECT_THAT(problem("abcdefgh1"), HasSubstr("at least three of"));
  EXPECT_THAT(problem("Abcdefg1\n"), HasSubstr("control characters"));
  EXPECT_THAT(problem("Abcdefg1\xff"), HasSubstr("not UTF-8"));
  EXPECT_THAT(problem(std::string(129, 'a') + "B1"), HasSubstr("at most 128"));
}

TEST_F(PasswordsTest, ThePolicyOfTheAccountIsHeld) {
  EXPECT_FALSE(passwords.policy());
  EXPECT_THAT(problem_of([&] { passwords.remove_policy(); }), StartsWith("not_found"));
  EXPECT_THAT(problem_of([&] { passwords.set_policy({.least_length = 5}); }),
              HasSubstr("MinimumPasswordLength: must be from 6 to 128"));
  EXPECT_THAT(problem_of([&] { passwords.set_policy({.remembered = 25}); }),
              HasSubstr("PasswordReusePrevention: must be from 0 to 24"));
  passwords.set_policy({.least_length = 10,
                        .wants_symbols = true,
                        .wants_numbers = true,
                        .longest_age = std::chrono::days(30),
                        .remembered = 2});
  EXPECT_THAT(problem_of([&] { passwords.create(eva, "short-1", NextSignIn::as_usual); }),
              HasSubstr("minimum length of 10"));
  EXPECT_THAT(problem_of([&] { passwords.create(eva, "without number-", NextSignIn::as_usual); }),
              HasSubstr("at least one number"));
  EXPECT_THAT(problem_of([&] { passwords.create(eva, "without symbol1", NextSignIn::as_usual); }),
              HasSubstr("at least one of the symbols"));
  passwords.create(eva, "the-first-1", NextSignIn::as_usual);
  passwords.change(eva, "the-second-2");
  for (const char* used : {"the-first-1", "the-second-2"}) {
    EXPECT_THAT(problem_of([&] { passwords.change(eva, used); }),
                HasSubstr("PasswordPolicyViolation: Password should not be one of the last 2"));
  }
  passwords.change(eva, "the-third-3");
  passwords.change(eva, "the-first-1");      // long enough ago
  passwords.update(eva, "the-first-1", {});  // who manages users may
}

TEST_F(PasswordsTest, AnOldPasswordMustBeChangedAndUnderAHardPolicyByAnAdministrator) {
  passwords.set_policy({.longest_age = std::chrono::days(30)});
  passwords.create(eva, "Line-3-is-red", NextSignIn::as_usual);
  const auto standing = [&] { return passwords.standing_of(passwords.require(eva)); };
  clock.advance(std::chrono::days(29));
  EXPECT_EQ(standing(), Passwords::Standing::good);
  clock.advance(std::chrono::days(1));
  EXPECT_EQ(standing(), Passwords::Standing::must_change);
  passwords.set_policy({.longest_age = std::chrono::days(30), .is_hard = true});
  EXPECT_EQ(standing(), Passwords::Standing::too_old);
  passwords.update(eva, "Line-4-is-red", {});
  EXPECT_EQ(standing(), Passwords::Standing::good);
}

}  // namespace
}  // namespace andon::control

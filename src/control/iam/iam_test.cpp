// SPDX-License-Identifier: Apache-2.0
#include "control/iam/iam.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/iam/ready_made.hpp"

namespace andon::control {
namespace {

using testing::HasSubstr;

class IamTest : public testing::Test {
 protected:
  static std::string allow(const std::string& action) {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" + action +
           R"(","Resource":"*"}]})";
  }
  std::string user(const std::string& name) {
    return "user/" + iam->entities.create({.name = name}).id;
  }
  [[nodiscard]] bool may(const std::string& principal, const std::string& action,
                         const std::string& session_policy = "") const {
    return iam->principals.decide(principal, session_policy, action, "*", {}).is_allowed();
  }
  template <typename Act>
  static std::string refusal(Act act) {
    try {
      act();
    } catch (const base::Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "it was taken";
  }
  void restart() {
    iam.reset();
    iam = std::make_unique<Iam>(*database, keys, clock, "000000000000");
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  AccessKeys keys{*database, clock};
  std::unique_ptr<Iam> iam = std::make_unique<Iam>(*database, keys, clock, "000000000000");
};

TEST_F(IamTest, TheAccountMayDoEverythingAndADeviceNothing) {
  EXPECT_TRUE(may("operator", "iam:CreateUser"));
  EXPECT_FALSE(may("thing/line-1", "iot:ListThings"));
  EXPECT_FALSE(may("user/AIDANONE", "iot:ListThings"));
  EXPECT_FALSE(may("", "iot:ListThings"));
  EXPECT_EQ(iam->principals.find("operator")->arn, "arn:aws:iam::000000000000:root");
  EXPECT_FALSE(iam->principals.find("thing/line-1"));
}

TEST_F(IamTest, AChangeCountsForTheNextDecision) {
  const std::string eva = user("eva");
  EXPECT_FALSE(may(eva, "iot:ListThings"));
  iam->policies.put_inline(EntityKind::user, "eva", "p", allow("iot:*"));
  EXPECT_TRUE(may(eva, "iot:ListThings"));
  iam->policies.remove_inline(EntityKind::user, "eva", "p");
  EXPECT_FALSE(may(eva, "iot:ListThings"));
  iam->entities.create({.kind = EntityKind::group, .name = "line"});
  const std::string arn =
      iam->policies.create({.name = "p", .description = {}, .document = allow("iot:*")}).arn;
  iam->policies.attach(EntityKind::group, "line", arn);
  EXPECT_FALSE(may(eva, "iot:ListThings"));
  iam->entities.add_member("line", "eva");
  EXPECT_TRUE(may(eva, "iot:ListThings"));
  iam->policies.add_version(arn, allow("s3:*"), VersionStanding::is_default);
  EXPECT_FALSE(may(eva, "iot:ListThings"));
  iam->policies.set_default_version(arn, 1);
  EXPECT_TRUE(may(eva, "iot:ListThings"));
  iam->entities.remove_member("line", "eva");
  EXPECT_FALSE(may(eva, "iot:ListThings"));
}

TEST_F(IamTest, WhoIsDeletedAndMadeAgainIsAnother) {
  const std::string first = user("eva");
  iam->policies.put_inline(EntityKind::user, "eva", "p", allow("*"));
  EXPECT_TRUE(may(first, "iot:ListThings"));
  iam->policies.remove_inline(EntityKind::user, "eva", "p");
  iam->entities.remove(EntityKind::user, "eva");
  const std::string second = user("eva");
  iam->policies.put_inline(EntityKind::user, "eva", "p", allow("*"));
  EXPECT_FALSE(may(first, "iot:ListThings"));
  EXPECT_TRUE(may(second, "iot:ListThings"));
}

TEST_F(IamTest, ASessionPolicyNarrowsAndNeverWidens) {
  const std::string eva = user("eva");
  iam->policies.put_inline(EntityKind::user, "eva", "p", allow("iot:*"));
  EXPECT_TRUE(may(eva, "iot:ListThings", allow("iot:List*")));
  EXPECT_FALSE(may(eva, "iot:CreateThing", allow("iot:List*")));
  EXPECT_FALSE(may(eva, "s3:GetObject", allow("*")));
  // Nor is the account's own session, if it had one, more than its policy says.
  EXPECT_FALSE(may("operator", "s3:GetObject", allow("iot:*")));
}

TEST_F(IamTest, RolesThatEarlierMachinesNameAreMadeOnceAndMayWhatTheyCould) {
  iam->entities.create({.kind = EntityKind::role,
                        .name = "there",
                        .trust = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                            "Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]})"});
  const auto may_take = [&](const std::string& arn) {
    try {
      return may(iam->roles.take({.role_arn = arn, .session = "s", .service = kStatesService}),
                 "s3:DeleteObject");
    } catch (const base::Error&) {
      return false;
    }
  };
  iam->begin_service_roles(
      {"arn:aws:iam::000000000000:role/there", "arn:aws:iam::111122223333:role/plant/old",
       "arn:aws:iam::000000000000:role/bad name", "nothing"},
      clock.now());
  EXPECT_TRUE(may_take("arn:aws:iam::111122223333:role/plant/old"));
  // Who is there already gets no more than it had.
  EXPECT_FALSE(may_take("arn:aws:iam::000000000000:role/there"));
  // The ready-made one does what workflows do, and deletes nothing.
  EXPECT_FALSE(may_take("arn:aws:iam::000000000000:role/andon-workflows"));
  EXPECT_EQ(iam->policies.attached(EntityKind::role, "andon-workflows").at(0).name,
            "AndonWorkflowsAccess");
  iam->policies.detach(EntityKind::role, "old", "arn:aws:iam::aws:policy/AndonOperatorAccess");
  iam->entities.remove(EntityKind::role, "old");
  restart();
  iam->begin_service_roles({"arn:aws:iam::111122223333:role/plant/old"}, clock.now());
  EXPECT_FALSE(may_take("arn:aws:iam::111122223333:role/plant/old"));
}

TEST_F(IamTest, TheReadyMadeRolesAreMadeOnceAndStayDeleted) {
  iam->begin_service_roles({}, clock.now());
  for (const ReadyMade& ready : ready_made()) {
    const Entity role = iam->entities.require(EntityKind::role, std::string(ready.role));
    EXPECT_EQ(iam->policies.attached(EntityKind::role, role.name).at(0).arn, ready.arn());
  }
  iam->policies.detach(EntityKind::role, "viewer", "arn:aws:iam::aws:policy/AndonViewerAccess");
  iam->entities.remove(EntityKind::role, "viewer");
  restart();
  EXPECT_FALSE(iam->entities.find(EntityKind::role, "viewer"));
  EXPECT_TRUE(iam->entities.find(EntityKind::role, "admin"));
}

TEST_F(IamTest, WhatStillHasSomethingIsNotDeleted) {
  const std::string eva = user("eva");
  const auto remove = [&] {
    return refusal([&] { iam->entities.remove(EntityKind::user, "eva"); });
  };
  const AccessKey key = keys.create_limited(eva, 2);
  EXPECT_THAT(remove(), HasSubstr("must delete access keys first"));
  keys.remove(eva, key.id);
  iam->policies.attach(EntityKind::user, "eva", "arn:aws:iam::aws:policy/AdministratorAccess");
  EXPECT_THAT(remove(), HasSubstr("must detach all policies first"));
  iam->policies.detach(EntityKind::user, "eva", "arn:aws:iam::aws:policy/AdministratorAccess");
  iam->policies.put_inline(EntityKind::user, "eva", "p", allow("*"));
  EXPECT_THAT(remove(), HasSubstr("must delete policies first"));
  iam->policies.remove_inline(EntityKind::user, "eva", "p");
  iam->entities.create({.kind = EntityKind::group, .name = "line"});
  iam->entities.add_member("line", "eva");
  EXPECT_THAT(remove(), HasSubstr("must remove the user from all groups first"));
  EXPECT_THAT(refusal([&] { iam->entities.remove(EntityKind::group, "line"); }),
              HasSubstr("must remove users from the group first"));
  iam->entities.remove_member("line", "eva");
  EXPECT_EQ(remove(), "it was taken");
}

TEST_F(IamTest, NamesAreUniqueWhateverTheirCaseAndHaveBounds) {
  (void)user("eva");
  EXPECT_THAT(refusal([&] { (void)user("EVA"); }), HasSubstr("already_exists"));
  for (const auto* name : {"", "a b", "a/b", "é"}) {
    EXPECT_THAT(refusal([&] { (void)user(name); }), HasSubstr("UserName")) << name;
  }
  EXPECT_THAT(refusal([&] { (void)user(std::string(65, 'a')); }), HasSubstr("UserName"));
  EXPECT_THAT(refusal([&] { iam->entities.create({.name = "x", .path = "plant"}); }),
              HasSubstr("Path"));
  for (std::int64_t i = 0; i < kMostInline; ++i) {
    iam->policies.put_inline(EntityKind::user, "eva", "p" + std::to_string(i), allow("*"));
  }
  EXPECT_THAT(
      refusal([&] { iam->policies.put_inline(EntityKind::user, "eva", "more", allow("*")); }),
      HasSubstr("resource_exhausted"));
}

TEST_F(IamTest, TheKeysOfAnEarlierBuildStayWhatTheyWere) {
  const base::TemporaryDirectory elsewhere;
  const auto old = store::open_sqlite(elsewhere.path() / "andon.db");
  // As the build before users left it.
  old->migrate("access_keys", {{"access keys", R"(
CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  secret TEXT NOT NULL,
  principal TEXT NOT NULL,
  created INTEGER NOT NULL,
  session_token TEXT NOT NULL,
  expires INTEGER,
  disabled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX access_key_by_expiry ON access_key (expires);
)"},
                               {"certificate", R"(
ALTER TABLE access_key ADD COLUMN certificate TEXT NOT NULL DEFAULT '';
)"}});
  old->write([](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO access_key (id, secret, principal, created, session_token) "
        "VALUES ('AKIAOLD', 's', 'operator', 1, '')");
  });
  AccessKeys old_keys(*old, clock);
  const Iam of_old(*old, old_keys, clock, "000000000000");
  const auto key = old_keys.find("AKIAOLD");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->secret, "s");
  EXPECT_TRUE(
      of_old.principals.decide(key->principal, key->session_policy, "iam:CreateUser", "*", {})
          .is_allowed());
}

TEST_F(IamTest, KeysAreOfOnePrincipal) {
  const std::string eva = user("eva");
  const AccessKey key = keys.create_limited(eva, 2);
  EXPECT_EQ(keys.list_of(eva).size(), 1U);
  EXPECT_TRUE(keys.list_of("operator").empty());
  EXPECT_THAT(refusal([&] { keys.remove("operator", key.id); }), HasSubstr("not_found"));
  EXPECT_THAT(refusal([&] { keys.set_disabled("operator", key.id, true); }),
              HasSubstr("not_found"));
  keys.set_disabled(eva, key.id, true);
  EXPECT_TRUE(keys.find(key.id)->is_disabled);
  (void)keys.create_limited(eva, 2);
  EXPECT_THAT(refusal([&] { (void)keys.create_limited(eva, 2); }), HasSubstr("resource_exhausted"));
  const AccessKey session = keys.create_session(eva, std::chrono::hours(36), allow("s3:*"));
  EXPECT_EQ(keys.find(session.id)->session_policy, allow("s3:*"));
  EXPECT_THAT(refusal([&] { (void)keys.create_session(eva, std::chrono::hours(37), {}); }),
              HasSubstr("invalid_argument"));
}

}  // namespace
}  // namespace andon::control

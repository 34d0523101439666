// SPDX-License-Identifier: Apache-2.0
#include "api/table/known_as.hpp"

#include <gtest/gtest.h>

#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::api {
namespace {

class KnownAs : public testing::Test {
 protected:
  [[nodiscard]] std::string name(const std::string& principal) const {
    return known_as(&authorizer_, {.access_key_id = "AKIA",
                                   .principal = principal,
                                   .account_id = "000000000000",
                                   .region = "us-east-1"});
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "andon.db");
  control::AccessKeys keys_{*database_, clock_};
  control::Iam iam_{*database_, keys_, clock_, "000000000000"};
  fleet::Arns arns_;
  Authorizer authorizer_{iam_, clock_, arns_};
};

TEST_F(KnownAs, TheArnOfAUserOfARoleAndOfTheAccount) {
  const std::string user = "user/" + iam_.entities.create({.name = "eva"}).id;
  EXPECT_EQ(name(user), "arn:aws:iam::000000000000:user/eva");
  const std::string role =
      "role/" + iam_.entities
                    .create({.kind = control::EntityKind::role,
                             .name = "nightly",
                             .trust = R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
 "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})"})
                    .id;
  EXPECT_EQ(name(role + "/max"), "arn:aws:sts::000000000000:assumed-role/nightly/max");
  EXPECT_EQ(name("operator"), "arn:aws:iam::000000000000:root");
}

TEST_F(KnownAs, TheIdWhereTheArnIsNotKnown) {
  EXPECT_EQ(name("thing/line-1"), "thing/line-1");
  EXPECT_EQ(name("user/AIDAGONE"), "user/AIDAGONE");
  EXPECT_EQ(known_as(nullptr, {.access_key_id = "AKIA",
                               .principal = "user/AIDA",
                               .account_id = "000000000000",
                               .region = "us-east-1"}),
            "user/AIDA");
}

}  // namespace
}  // namespace andon::api

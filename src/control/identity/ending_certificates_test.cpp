// SPDX-License-Identifier: Apache-2.0
#include "control/identity/ending_certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::IsEmpty;

class EndingCertificatesTest : public testing::Test, public ControlFixture {
 protected:
  void add(const std::string& id, const std::string& thing, int days_left,
           const std::string& status = "ACTIVE") {
    const store::SqlValue owner = thing.empty() ? store::SqlValue() : store::SqlValue(thing);
    database().write([&](store::Transaction& tx) {
      tx.execute(
          "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms) VALUES "
          "($1, $2, '', $3, 0, $4)",
          {id, owner, status, base::to_epoch_millis(clock().now() + days(days_left))});
    });
  }
  std::vector<std::string> within(int days_from_now, std::size_t most = 100) {
    std::vector<std::string> all;
    database().read([&](store::Transaction& tx) {
      const base::Timestamp before = clock().now() + days(days_from_now);
      for (const auto& one : ending_certificates(tx, before, most)) {
        all.push_back(one.thing + " " + one.id);
      }
      if (most == 100) {
        EXPECT_EQ(count_ending_certificates(tx, before), std::ssize(all));
      }
    });
    return all;
  }
};

TEST_F(EndingCertificatesTest, OfAThingTheOneCountsThatLastsLongest) {
  for (const char* thing : {"a", "b", "c"}) control().things.create(thing, {});
  add("a1", "a", 3);
  add("b1", "b", -2);
  add("b2", "b", 5);
  add("c1", "c", 3);
  add("c2", "c", 40);
  EXPECT_THAT(within(3), IsEmpty());
  EXPECT_THAT(within(4), ElementsAre("a a1"));
  EXPECT_THAT(within(30), ElementsAre("a a1", "b b2"));
  EXPECT_THAT(within(41), ElementsAre("a a1", "b b2", "c c2"));
  EXPECT_THAT(within(41, 2), ElementsAre("a a1", "b b2"));
}

TEST_F(EndingCertificatesTest, WhatOpensNothingDoesNotCount) {
  control().things.create("a", {});
  add("a1", "a", 3, "REVOKED");
  add("a2", "a", 4, "INACTIVE");
  add("nobodys", "", 1);
  EXPECT_THAT(within(30), IsEmpty());
  add("a3", "a", 2);
  EXPECT_THAT(within(30), ElementsAre("a a3"));
}

TEST_F(EndingCertificatesTest, TwoThatEndAtOnceNameTheirThingOnce) {
  control().things.create("a", {});
  add("a1", "a", 3);
  add("a2", "a", 3);
  EXPECT_THAT(within(30), ElementsAre("a a2"));
}

}  // namespace
}  // namespace andon::control

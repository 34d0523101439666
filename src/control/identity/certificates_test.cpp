// SPDX-License-Identifier: Apache-2.0
#include "control/identity/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;

class CertificatesTest : public testing::Test, public ControlFixture {
 protected:
  Certificates& certificates() { return control().certificates; }
  std::string enrolled(const std::string& thing) {
    return trust::describe_certificate(enrol(thing)).fingerprint;
  }
  std::vector<std::string> ids_of(const std::string& thing) {
    std::vector<std::string> ids;
    for (const auto& one : certificates().list_of(thing, {}).items) ids.push_back(one.id);
    return ids;
  }
  template <typename Act>
  static ErrorCode code(Act act) {
    try {
      act();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }
};

TEST_F(CertificatesTest, AThingThatHasOneIsNotDeleted) {
  const std::string id = enrolled("dev1");
  EXPECT_EQ(code([&] { control().things.remove("dev1"); }), ErrorCode::failed_precondition);
  EXPECT_EQ(certificates().find(id)->thing, "dev1");
  certificates().detach(id, "dev1");
  control().things.remove("dev1");
  EXPECT_FALSE(control().things.find("dev1"));
  EXPECT_EQ(certificates().find(id)->thing, "") << "and can still be revoked";
  // A thing of the same name is another one.
  control().things.create("dev1", {});
  EXPECT_FALSE(control().rights.may(id).may);
}

TEST_F(CertificatesTest, TheDatabaseItselfDeletesNoThingThatHasOne) {
  (void)enrolled("dev1");
  EXPECT_ANY_THROW(
      database().write([](store::Transaction& tx) { tx.execute("DELETE FROM things"); }));
}

TEST_F(CertificatesTest, OneIsOfOneThingAtATime) {
  const std::string id = enrolled("dev1");
  control().things.create("dev2", {});
  EXPECT_EQ(code([&] { certificates().attach(id, "dev2"); }), ErrorCode::failed_precondition);
  EXPECT_EQ(code([&] { certificates().detach(id, "dev2"); }), ErrorCode::not_found);
  certificates().attach(id, "dev1");  // again
  certificates().detach(id, "dev1");
  certificates().detach(id, "dev1");  // again
  EXPECT_FALSE(control().rights.may(id).may);
  certificates().attach(id, "dev2");
  EXPECT_EQ(control().rights.may(id).thing, "dev2");
  EXPECT_EQ(code([&] { certificates().attach(id, "none"); }), ErrorCode::not_found);
  EXPECT_EQ(code([&] { certificates().attach("none", "dev1"); }), ErrorCode::not_found);
}

TEST_F(CertificatesTest, OneIsDeletedWhenItOpensNothing) {
  const std::string id = enrolled("dev1");
  EXPECT_EQ(code([&] { certificates().remove(id); }), ErrorCode::failed_precondition);
  certificates().set_status(id, CertificateStatus::inactive);
  EXPECT_EQ(code([&] { certificates().remove(id); }), ErrorCode::conflict);
  certificates().detach(id, "dev1");
  certificates().remove(id);
  EXPECT_FALSE(certificates().find(id));
  EXPECT_EQ(code([&] { certificates().remove(id); }), ErrorCode::not_found);
}

TEST_F(CertificatesTest, RevokedIsForEver) {
  const std::string id = enrolled("dev1");
  certificates().set_status(id, CertificateStatus::revoked);
  certificates().set_status(id, CertificateStatus::revoked);
  EXPECT_EQ(code([&] { certificates().set_status(id, CertificateStatus::active); }),
            ErrorCode::conflict);
}

TEST_F(CertificatesTest, OneOfAnOperatorsCsrIsTheThingsThatItIsAttachedTo) {
  const auto made = certificates().issue(trust::make_csr(trust::make_private_key(), "andon-server"),
                                         {.common_name = "AWS IoT Certificate",
                                          .thing = {},
                                          .status = CertificateStatus::active,
                                          .renewal_of = {}});
  EXPECT_EQ(trust::describe_certificate(made.pem).common_name, "AWS IoT Certificate");
  EXPECT_FALSE(control().rights.may(made.id).may);
  control().things.create("dev1", {});
  certificates().attach(made.id, "dev1");
  EXPECT_EQ(control().rights.authenticate(made.pem), "dev1");
}

TEST_F(CertificatesTest, AreListedInPagesInBothOrders) {
  std::vector<std::string> made;
  for (const auto* thing : {"a", "b", "c"}) {
    made.push_back(enrolled(thing));
    clock().advance(std::chrono::seconds(1));
  }
  const auto all = [&](Certificates::Order order) {
    std::vector<std::string> ids;
    PageRequest page{.limit = 2, .after = {}};
    do {
      const auto found = certificates().list(order, page);
      for (const auto& one : found.items) ids.push_back(one.id);
      page.after = found.next.value_or("");
    } while (!page.after.empty());
    return ids;
  };
  EXPECT_THAT(all(Certificates::Order::newest_first), ElementsAre(made[2], made[1], made[0]));
  EXPECT_THAT(all(Certificates::Order::oldest_first), ElementsAre(made[0], made[1], made[2]));
  const std::string second = enrolled("a");
  EXPECT_THAT(ids_of("a"), ElementsAre(second, made[0]));
  EXPECT_EQ(code([&] { (void)ids_of("none"); }), ErrorCode::not_found);
}

}  // namespace
}  // namespace andon::control

// SPDX-License-Identifier: Apache-2.0
#include "control/discovery/core_trust.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class CoreTrustTest : public testing::Test, public ControlFixture {
 protected:
  CoreTrustTest() {
    for (const auto* thing : {"core", "cam1", "cam2"}) control().things.create(thing, {});
  }
};

TEST_F(CoreTrustTest, TheAuthoritiesOfACoreAreThoseThatItToldLast) {
  CoreTrust trust(database(), clock());
  EXPECT_THAT(trust.authorities("core"), IsEmpty());
  const auto make = [this] {
    return trust::make_certificate_authority("CA", clock().now(), std::chrono::days(2))
        .certificate_pem;
  };
  const std::string first = make();
  const std::string second = make();
  trust.set_authorities("core", {first});
  trust.set_authorities("core", {second, first});
  EXPECT_THAT(trust.authorities("core"), ElementsAre(second, first));
  EXPECT_THROW(trust.set_authorities("nobody", {first}), base::Error);
  EXPECT_THROW(trust.set_authorities("core", {"no certificate"}), base::Error);
  control().things.remove("core");
  EXPECT_THAT(trust.authorities("core"), IsEmpty());
}

TEST_F(CoreTrustTest, ACoreKnowsTheCertificatesOfItsClientsThatMayBeUsed) {
  CoreTrust trust(database(), clock());
  EXPECT_THROW((void)trust.clients_of("nobody"), base::Error);
  (void)control().client_devices.associate("core", {"cam1", "cam2"});
  EXPECT_THAT(trust.clients_of("core"),
              ElementsAre(Pair("cam1", IsEmpty()), Pair("cam2", IsEmpty())));
  const std::string csr = trust::make_csr(trust::make_private_key(), "x");
  const std::string id =
      control().certificates.issue(csr, {.common_name = "cam1", .thing = "cam1"}).id;
  EXPECT_THAT(trust.clients_of("core"),
              ElementsAre(Pair("cam1", ElementsAre(id)), Pair("cam2", IsEmpty())));
  control().certificates.set_status(id, CertificateStatus::revoked);
  EXPECT_THAT(trust.clients_of("core"),
              ElementsAre(Pair("cam1", IsEmpty()), Pair("cam2", IsEmpty())));
}

}  // namespace
}  // namespace andon::control

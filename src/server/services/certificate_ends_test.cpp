// SPDX-License-Identifier: Apache-2.0
#include "server/services/certificate_ends.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "base/json/json.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::server {
namespace {

using testing::ElementsAre;

class CertificateEndsTest : public testing::Test, public control::ControlFixture {
 protected:
  std::vector<std::string> within(int days) {
    std::vector<std::string> all;
    for (const auto& one : ends_.within(std::chrono::days(days))) {
      all.push_back(one.thing.empty() ? one.name : one.thing);
    }
    return all;
  }
  std::vector<std::string> told() {
    ends_.tell();
    return std::exchange(told_, {});
  }
  void pass(std::chrono::hours time) { clock().advance(time); }

  std::vector<std::string> told_;
  CertificateEnds ends_{
      {.database = database(),
       .clock = clock(),
       .own =
           [this] {
             return std::vector<OwnCertificate>{{"ca", authority().certificate_pem}};
           },
       .accept =
           [this](store::Transaction&, const events::Event& event) {
             told_.push_back(event.source + " " + base::to_text(event.detail));
           }}};
};

TEST_F(CertificateEndsTest, NamesThoseOfDevicesThatEndAndTheServersOwn) {
  enrol("line-1");  // for 90 days
  EXPECT_THAT(within(30), ElementsAre());
  pass(std::chrono::days(61));
  EXPECT_THAT(within(30), ElementsAre("line-1"));
  enrol("line-2");
  EXPECT_THAT(within(30), ElementsAre("line-1"));
  EXPECT_THAT(within(91), ElementsAre("line-1", "line-2"));
  EXPECT_THAT(within(3651), ElementsAre("ca", "line-1", "line-2"));
  EXPECT_THAT(ends_.own().front().name, "ca");
}

TEST_F(CertificateEndsTest, TellsOfTheServersOwnOnceADayAndOfNoDevices) {
  enrol("line-1");
  pass(std::chrono::days(80));
  EXPECT_THAT(told(), ElementsAre());
  pass(std::chrono::days(3565));
  const auto first = told();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_THAT(first.front(), testing::HasSubstr("andon.server"));
  EXPECT_THAT(first.front(), testing::HasSubstr(R"("certificate":"ca")"));
  pass(std::chrono::hours(1));
  EXPECT_THAT(told(), ElementsAre());
  pass(std::chrono::hours(23));
  EXPECT_EQ(told().size(), 1U);
}

}  // namespace
}  // namespace andon::server

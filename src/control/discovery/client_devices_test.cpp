// SPDX-License-Identifier: Apache-2.0
#include "control/discovery/client_devices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ClientDevicesTest : public testing::Test, public ControlFixture {
 protected:
  ClientDevicesTest() {
    for (const auto* thing : {"core1", "core2", "cam1", "cam2", "cam3"}) {
      control().things.create(thing, {});
    }
  }
  ClientDevices& clients() { return control().client_devices; }
};

TEST_F(ClientDevicesTest, AClientDeviceFindsTheCoresThatItIsAssociatedWith) {
  EXPECT_THAT(clients().associate("core1", {"cam1", "cam2"}), IsEmpty());
  EXPECT_THAT(clients().associate("core2", {"cam1"}), IsEmpty());
  EXPECT_THAT(clients().cores_of("cam1"), ElementsAre("core1", "core2"));
  EXPECT_THAT(clients().disassociate("core1", {"cam1"}), IsEmpty());
  EXPECT_THAT(clients().cores_of("cam1"), ElementsAre("core2"));
}

TEST_F(ClientDevicesTest, WhatCannotBeAssociatedIsNamedAndTheRestIsDone) {
  const auto problems = clients().associate("core1", {"nobody", "core1", "cam1"});
  ASSERT_THAT(problems, SizeIs(2));
  EXPECT_EQ(problems[0].thing, "nobody");
  EXPECT_EQ(problems[0].code, "ResourceNotFoundException");
  EXPECT_EQ(problems[1].thing, "core1");
  EXPECT_THAT(clients().cores_of("cam1"), SizeIs(1));
  EXPECT_THAT(clients().disassociate("core1", {"cam2"}), SizeIs(1));
  EXPECT_THROW((void)clients().associate("none", {"cam1"}), Error);
  EXPECT_THROW((void)clients().associate("core1", {}), Error);
}

TEST_F(ClientDevicesTest, TheListComesInPages) {
  (void)clients().associate("core1", {"cam1", "cam2", "cam3"});
  const auto first = clients().list("core1", {2, ""});
  EXPECT_THAT(first.items, SizeIs(2));
  const auto second = clients().list("core1", {2, first.next.value_or("")});
  ASSERT_THAT(second.items, SizeIs(1));
  EXPECT_EQ(second.items.front().thing, "cam3");
  EXPECT_FALSE(second.next);
}

TEST_F(ClientDevicesTest, AThingThatIsDeletedIsNobodysClientAnyMore) {
  (void)clients().associate("core1", {"cam1"});
  control().things.remove("cam1");
  EXPECT_THAT(clients().list("core1", {10, ""}).items, IsEmpty());
}

TEST_F(ClientDevicesTest, WhereACoreIsReachedIsReplacedAsAWhole) {
  EXPECT_THAT(clients().endpoints("core1"), IsEmpty());
  EXPECT_EQ(clients().set_endpoints("core1", {{"a", "10.0.0.1", 8883, ""}, {"b", "h", 0, "m"}}), 1);
  EXPECT_EQ(clients().set_endpoints("core1", {{"a", "10.0.0.2", 8883, ""}}), 2);
  const auto found = clients().endpoints("core1");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().host, "10.0.0.2");
  EXPECT_THROW((void)clients().set_endpoints("core1", {{"a", "", 1, ""}}), Error);
  EXPECT_THROW((void)clients().set_endpoints("core1", {{"a", "h", 70'000, ""}}), Error);
  EXPECT_THROW((void)clients().set_endpoints("none", {}), Error);
}

TEST_F(ClientDevicesTest, TheServiceRoleIsOneForTheAccount) {
  EXPECT_FALSE(clients().service_role());
  (void)clients().set_service_role("arn:aws:iam::000000000000:role/a");
  (void)clients().set_service_role("arn:aws:iam::000000000000:role/b");
  EXPECT_EQ(clients().service_role()->arn, "arn:aws:iam::000000000000:role/b");
  (void)clients().remove_service_role();
  EXPECT_FALSE(clients().service_role());
}

}  // namespace
}  // namespace andon::control

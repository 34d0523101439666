// SPDX-License-Identifier: Apache-2.0
#include "control/identity/device_access.hpp"

#include <gtest/gtest.h>

#include "control/testing/control_fixture.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

class DeviceAccessTest : public testing::Test, public ControlFixture {
 protected:
  DeviceAccessTest() {
    put_object("models", "a.onnx", "bytes");
    control().components.create(
        recipe("com.ex.Model", "1.0.0", R"([{"URI": "s3://models/a.onnx"}])"), std::nullopt);
    add_component("com.ex.App", "1.0.0", R"({"com.ex.Model": {"VersionRequirement": "^1.0.0"}})");
    add_component("com.ex.Secret", "1.0.0");
    control().things.create("dev1", {});
    control().things.create("dev2", {});
  }
};

TEST_F(DeviceAccessTest, ADeviceSeesRootsAndDependenciesOfItsDeploymentsOnly) {
  EXPECT_FALSE(control().access.may_resolve("dev1", "com.ex.App"));
  (void)deploy("thing/dev1", "com.ex.App", "1.0.0");
  EXPECT_TRUE(control().access.may_resolve("dev1", "com.ex.App"));
  EXPECT_TRUE(control().access.may_resolve("dev1", "com.ex.Model"));
  EXPECT_FALSE(control().access.may_resolve("dev1", "com.ex.Secret"));
  EXPECT_FALSE(control().access.may_resolve("dev2", "com.ex.App"));
}

TEST_F(DeviceAccessTest, WhatADeviceHasItMayAskForAlsoWhenTheDeploymentIsDeleted) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.App", "1.0.0");
  control().access.grant("dev1", "com.ex.App", "1.0.0");
  report("dev1", deployment.id, JobStatus::succeeded);
  control().deployments.remove(deployment.id);
  EXPECT_TRUE(control().access.may_resolve("dev1", "com.ex.App"));
  EXPECT_TRUE(control().access.may_resolve("dev1", "com.ex.Model"));
}

TEST_F(DeviceAccessTest, ADeploymentThatWasCanceledBeforeItStartedOpensNothing) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.App", "1.0.0");
  control().deployments.cancel(deployment.id);
  EXPECT_FALSE(control().access.may_resolve("dev1", "com.ex.App"));
}

TEST_F(DeviceAccessTest, ArtifactsAreForDevicesThatWereHandedTheRecipe) {
  const std::string sha256 = trust::sha256_hex("bytes");
  EXPECT_FALSE(control().access.may_fetch("dev1", "com.ex.Model", "1.0.0"));
  EXPECT_FALSE(control().access.may_fetch_blob("dev1", sha256));
  control().access.grant("dev1", "com.ex.Model", "1.0.0");
  control().access.grant("dev1", "com.ex.Model", "1.0.0");
  EXPECT_TRUE(control().access.may_fetch("dev1", "com.ex.Model", "1.0.0"));
  EXPECT_TRUE(control().access.may_fetch_blob("dev1", sha256));
  EXPECT_FALSE(control().access.may_fetch_blob("dev2", sha256));
  EXPECT_FALSE(control().access.may_fetch_blob("dev1", trust::sha256_hex("others")));
}

}  // namespace
}  // namespace andon::control

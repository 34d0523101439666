// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

class ModelChecksTest : public testing::Test, public ControlFixture {
 protected:
  ModelChecksTest()
      : registry_(database(), objects(), clock()),
        checks_(database(), objects(), clock(), [this](const base::fs::path& model) {
          seen_.clear();
          for (const auto& file : base::fs::recursive_directory_iterator(model.parent_path())) {
            if (file.is_regular_file()) {
              seen_[file.path().lexically_relative(model.parent_path()).string()] =
                  base::read_file(file.path());
            }
          }
          return ModelCheck{
              base::read_file(model) == "good" ? ModelVerdict::loads : ModelVerdict::fails,
              "it is bad",
              {}};
        }) {}

  static json::object content(const std::string& uri, const char* type = "S3Object") {
    return {{"InferenceSpecification",
             {{"Containers",
               json::array{json::object{
                   {"Image", "i"},
                   {"ModelDataSource",
                    {{"S3DataSource",
                      {{"S3Uri", uri}, {"S3DataType", type}, {"CompressionType", "None"}}}}}}}}}}};
  }

  ModelRegistry registry_;
  std::map<std::string, std::string> seen_;
  ModelChecks checks_;
};

TEST_F(ModelChecksTest, AModelIsOpenedWithWhatBelongsToIt) {
  put_object("models", "m/model.onnx", "good");
  put_object("models", "m/data/weights.bin", "w");
  const auto check = checks_.look(content("s3://models/m/", "S3Prefix"));
  ASSERT_TRUE(check);
  EXPECT_EQ(check->verdict, ModelVerdict::loads);
  EXPECT_EQ(seen_, (std::map<std::string, std::string>{{"data/weights.bin", "w"},
                                                       {"model.onnx", "good"}}));
}

TEST_F(ModelChecksTest, WhatIsNoModelFailsAndWhatCannotBeLookedAtSaysWhy) {
  put_object("models", "bad.onnx", "bad");
  put_object("models", "model.tar.gz", "x");
  EXPECT_EQ(checks_.look(content("s3://models/bad.onnx"))->verdict, ModelVerdict::fails);
  const auto other = checks_.look(content("s3://models/model.tar.gz"));
  EXPECT_EQ(other->verdict, ModelVerdict::not_checked);
  EXPECT_THAT(other->reason, testing::HasSubstr("no ONNX file"));
  EXPECT_FALSE(checks_.look({}));
}

TEST_F(ModelChecksTest, ItStandsBesideThePackageUntilThatGoes) {
  registry_.create_group("tags", "");
  const ModelPackageId id = registry_.create_package({.name = "tags", .content = {}}).id;
  EXPECT_FALSE(checks_.find(id));
  checks_.keep(id, {ModelVerdict::fails, "it is bad", clock().now()});
  EXPECT_EQ(checks_.find(id)->reason, "it is bad");
  checks_.keep(id, {ModelVerdict::loads, "", clock().now()});
  EXPECT_EQ(checks_.find(id)->verdict, ModelVerdict::loads);
  registry_.delete_package(id);
  EXPECT_FALSE(checks_.find(id));
}

}  // namespace
}  // namespace andon::control

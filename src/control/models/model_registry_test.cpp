// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;
namespace json = base::json;

class ModelRegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    objects.create_bucket("models");
    upload("one");
    registry.create_group("scratches", "finds scratches");
  }

  void upload(const std::string& content, const std::string& key = "model.onnx") {
    objects.put("models", key,
                [content, at = std::size_t{0}](char* buffer, std::size_t size) mutable {
                  const std::size_t count = content.copy(buffer, size, at);
                  at += count;
                  return count;
                },
                {});
  }
  static NewModelPackage version(const std::string& url = "s3://models/model.onnx") {
    return {.name = "scratches",
            .content = {
                {"InferenceSpecification",
                 json::object{{"Containers", json::array{json::object{{"Image", "none"},
                                                                      {"ModelDataUrl", url}}}}}}}};
  }
  template <typename Work>
  static Error error_of(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error was thrown";
    return {ErrorCode::internal, ""};
  }
  [[nodiscard]] std::vector<std::int64_t> versions(const RegistryFilter& filter,
                                                   std::size_t page_size = 2) const {
    std::vector<std::int64_t> found;
    PageRequest request{.limit = page_size, .after = {}};
    while (true) {
      const auto page = registry.list_packages(filter, request);
      EXPECT_LE(page.items.size(), page_size);
      for (const ModelPackage& package : page.items) found.push_back(package.id.version);
      if (!page.next) return found;
      request.after = *page.next;
    }
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  store::ObjectStore objects{*database, directory.path() / "objects", clock};
  ModelRegistry registry{*database, objects, clock};
};

TEST_F(ModelRegistryTest, CountsVersionsUpAndNeverUsesOneAgain) {
  EXPECT_EQ(registry.create_package(version()).id.version, 1);
  EXPECT_EQ(registry.create_package(version()).id.version, 2);
  registry.delete_package({"scratches", 2});
  EXPECT_EQ(registry.create_package(version()).id.version, 3);
  EXPECT_FALSE(registry.find_package({"scratches", 2}));
  EXPECT_EQ(error_of([&] {
              registry.delete_package({"scratches", 2});
            }).code(),
            ErrorCode::not_found);
}

TEST_F(ModelRegistryTest, RecordsTheModelAsItWasWhenThePackageWasMade) {
  const ModelPackage made = registry.create_package(version());
  upload("another content");
  const auto data = registry.model_data(made.id);
  ASSERT_EQ(data.size(), 1U);
  EXPECT_EQ(data[0].sha256, trust::sha256_hex("one"));
  EXPECT_EQ(data[0].size, 3U);
  const auto found = registry.find_package(made.id);
  const json::value content(found->content);
  const auto* etag =
      base::find_pointer(content, "/InferenceSpecification/Containers/0/ModelDataETag");
  ASSERT_NE(etag, nullptr);
  EXPECT_EQ(etag->as_string(), data[0].etag);
  EXPECT_EQ(found->approval, ApprovalStatus::pending);
}

TEST_F(ModelRegistryTest, RefusesAModelThatIsNotHere) {
  for (const char* url : {"s3://models/none.onnx", "s3://nowhere/model.onnx", "s3://models",
                          "s3://models/", "https://example.com/model.onnx", ""}) {
    const Error error = error_of([&] { (void)registry.create_package(version(url)); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << url;
    EXPECT_THAT(error.message(), testing::StartsWith("InferenceSpecification.Containers[0]"));
  }
  NewModelPackage package = version();
  package.content["InferenceSpecification"] = json::object{{"Containers", json::array()}};
  EXPECT_EQ(error_of([&] { (void)registry.create_package(package); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_TRUE(versions({}).empty());
}

TEST_F(ModelRegistryTest, RecordsEveryFileOfAModelThatHasSeveral) {
  for (const char* name : {"v1/model.onnx", "v1/model.yaml", "v1/model.onnx.data", "v10/other"}) {
    upload(name, name);
  }
  const auto package_of = [](json::object source) {
    NewModelPackage package = version();
    package.content["InferenceSpecification"] = json::object{
        {"Containers",
         json::array{json::object{
             {"Image", "none"},
             {"ModelDataSource", json::object{{"S3DataSource", std::move(source)}}}}}}};
    return package;
  };
  const ModelPackage made = registry.create_package(package_of(
      {{"S3Uri", "s3://models/v1/"}, {"S3DataType", "S3Prefix"}, {"CompressionType", "None"}}));
  std::vector<std::string> urls;
  for (const ModelData& data : registry.model_data(made.id)) {
    urls.push_back(data.url);
    EXPECT_EQ(data.sha256, trust::sha256_hex(data.url.substr(std::string("s3://models/").size())));
  }
  EXPECT_THAT(
      urls, testing::UnorderedElementsAre("s3://models/v1/model.onnx", "s3://models/v1/model.yaml",
                                          "s3://models/v1/model.onnx.data"));

  const auto refusal = [&](json::object source) {
    return error_of([&] { (void)registry.create_package(package_of(std::move(source))); })
        .message();
  };
  EXPECT_THAT(
      refusal(
          {{"S3Uri", "s3://models/v1"}, {"S3DataType", "S3Prefix"}, {"CompressionType", "None"}}),
      testing::HasSubstr("must end in '/'"));
  EXPECT_THAT(refusal({{"S3Uri", "s3://models/none/"},
                       {"S3DataType", "S3Prefix"},
                       {"CompressionType", "None"}}),
              testing::HasSubstr("there is no object below s3://models/none/"));
  EXPECT_THAT(refusal({{"S3Uri", "s3://models/v1/"},
                       {"S3DataType", "S3Prefix"},
                       {"CompressionType", "None"},
                       {"ManifestS3Uri", "s3://models/manifest"}}),
              testing::HasSubstr("ManifestS3Uri: is not supported"));
  NewModelPackage both = version();
  both.content["InferenceSpecification"].at("Containers").at(0).as_object()["ModelDataSource"] =
      json::object();
  EXPECT_THAT(error_of([&] { (void)registry.create_package(both); }).message(),
              testing::HasSubstr("both ModelDataUrl and ModelDataSource"));
}

TEST_F(ModelRegistryTest, TheSameClientTokenMakesOnePackage) {
  NewModelPackage package = version();
  package.client_token = "token-1";
  EXPECT_EQ(registry.create_package(package).id.version, 1);
  EXPECT_EQ(registry.create_package(package).id.version, 1);
  package.content["ModelPackageDescription"] = "other";
  EXPECT_EQ(error_of([&] { (void)registry.create_package(package); }).code(), ErrorCode::conflict);
  package.client_token = "token-2";
  EXPECT_EQ(registry.create_package(package).id.version, 2);
}

TEST_F(ModelRegistryTest, ChangesApprovalAndMetadata) {
  NewModelPackage package = version();
  package.content["CustomerMetadataProperties"] = json::object{{"line", "1"}, {"shift", "a"}};
  const ModelPackageId id = registry.create_package(package).id;
  clock.advance(std::chrono::seconds(5));
  registry.update_package(id, {.approval = ApprovalStatus::approved,
                               .approval_description = "good on dev",
                               .added_customer_metadata = {{"line", "2"}},
                               .removed_customer_metadata = {"shift"}});
  const auto changed = registry.find_package(id);
  EXPECT_EQ(changed->approval, ApprovalStatus::approved);
  EXPECT_EQ(changed->approval_description, "good on dev");
  EXPECT_EQ(changed->modified, clock.now());
  EXPECT_EQ(changed->content.at("CustomerMetadataProperties"), (json::object{{"line", "2"}}));
  EXPECT_EQ(error_of([&] {
              registry.update_package({"scratches", 9}, {});
            }).code(),
            ErrorCode::not_found);
  EXPECT_EQ(error_of([&] {
              registry.update_package(id,
                                      {.replaced_content = version("s3://models/none").content});
            }).code(),
            ErrorCode::invalid_argument);
}

TEST_F(ModelRegistryTest, KeepsWhoHasDecidedAndWhyWithTheVersion) {
  NewModelPackage package = version();
  package.by = "arn:maker";
  const ModelPackageId id = registry.create_package(package).id;
  EXPECT_TRUE(registry.decisions(id).empty());
  registry.update_package(id, {.approval = ApprovalStatus::rejected,
                               .approval_description = "below the line",
                               .by = "arn:eva"});
  clock.advance(std::chrono::seconds(5));
  registry.update_package(id, {.added_customer_metadata = {{"line", "2"}}, .by = "arn:max"});
  registry.update_package(id, {.approval = ApprovalStatus::approved, .by = "arn:max"});
  auto decisions = registry.decisions(id);
  ASSERT_EQ(decisions.size(), 2U);
  EXPECT_EQ(decisions[0].approval, ApprovalStatus::approved);
  EXPECT_EQ(decisions[0].by, "arn:max");
  EXPECT_EQ(decisions[0].reason, "") << "the reason of another decision is none of this one";
  EXPECT_EQ(decisions[0].time, clock.now());
  EXPECT_EQ(decisions[1].by, "arn:eva");
  EXPECT_EQ(decisions[1].reason, "below the line");
  const auto found = registry.find_package(id);
  EXPECT_EQ(found->created_by, "arn:maker");
  EXPECT_EQ(found->modified_by, "arn:max");
  for (int i = 0; i < 60; ++i) {
    registry.update_package(id, {.approval = ApprovalStatus::rejected, .by = std::to_string(i)});
  }
  decisions = registry.decisions(id);
  EXPECT_EQ(decisions.size(), 50U);
  EXPECT_EQ(decisions.front().by, "59");
  registry.delete_package(id);
  EXPECT_TRUE(registry.decisions(id).empty());
  // One that is registered as approved was decided by who has registered it.
  package.approval = ApprovalStatus::approved;
  EXPECT_EQ(registry.decisions(registry.create_package(package).id).at(0).by, "arn:maker");
}

TEST_F(ModelRegistryTest, ListsFilteredSortedAndInPages) {
  for (int i = 0; i < 5; ++i) {
    const ModelPackageId id = registry.create_package(version()).id;
    if (i % 2 == 0) registry.update_package(id, {.approval = ApprovalStatus::approved});
    clock.advance(std::chrono::seconds(1));
  }
  registry.create_group("other", "");
  NewModelPackage other = version();
  other.name = "other";
  (void)registry.create_package(other);
  NewModelPackage single = version();
  single.name = "single";
  single.kind = PackageKind::unversioned;
  (void)registry.create_package(single);
  EXPECT_EQ(error_of([&] { (void)registry.create_package(single); }).code(),
            ErrorCode::already_exists);

  EXPECT_THAT(versions({.group = "scratches"}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(versions({.order = SortOrder::descending, .group = "scratches"}),
              ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(versions({.sort = RegistrySort::by_name, .order = SortOrder::descending}),
              ElementsAre(0, 5, 4, 3, 2, 1, 1));
  EXPECT_THAT(versions({.approval = ApprovalStatus::approved}), ElementsAre(1, 3, 5));
  EXPECT_THAT(versions({.kind = PackageKind::unversioned}), ElementsAre(0));
  EXPECT_THAT(versions({.kind = PackageKind::versioned}, 100), ElementsAre(1, 2, 3, 4, 5, 1));
  const auto start = base::from_epoch_millis(1'790'000'000'000);
  EXPECT_THAT(versions({.created_after = start + std::chrono::milliseconds(500),
                        .created_before = start + std::chrono::milliseconds(2500),
                        .name_contains = "scratch"}),
              ElementsAre(2, 3));
  EXPECT_EQ(
      error_of([&] { (void)registry.list_packages({}, {.limit = 1, .after = "[1]"}); }).code(),
      ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { (void)registry.list_packages({}, {.limit = 1, .after = "x"}); }).code(),
            ErrorCode::invalid_argument);
}

TEST_F(ModelRegistryTest, KeepsGroupsWhileTheyHavePackages) {
  EXPECT_EQ(error_of([&] { registry.create_group("scratches", ""); }).code(),
            ErrorCode::already_exists);
  for (const char* name : {"", "-a", "a-", "a_b", "a b"}) {
    EXPECT_EQ(error_of([&] { registry.create_group(name, ""); }).code(),
              ErrorCode::invalid_argument);
  }
  const ModelPackageId id = registry.create_package(version()).id;
  EXPECT_EQ(error_of([&] { registry.delete_group("scratches"); }).code(), ErrorCode::conflict);
  registry.delete_package(id);
  registry.delete_group("scratches");
  EXPECT_FALSE(registry.find_group("scratches"));
  EXPECT_EQ(error_of([&] { registry.delete_group("scratches"); }).code(), ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { (void)registry.create_package(version()); }).code(),
            ErrorCode::not_found);
  registry.create_group("b", "");
  registry.create_group("a", "");
  const auto page =
      registry.list_groups({.sort = RegistrySort::by_name}, {.limit = 1, .after = {}});
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].name, "a");
  EXPECT_EQ(registry.list_groups({.sort = RegistrySort::by_name}, {.limit = 1, .after = *page.next})
                .items[0]
                .name,
            "b");
}

}  // namespace
}  // namespace andon::control

// SPDX-License-Identifier: Apache-2.0
#include "cli/registry/lineage.hpp"

#include <gmock/gmock.h>

#include "base/json/json.hpp"

namespace andon::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

base::json::value package(std::string_view text) {
  return base::parse_json(text, "the test");
}

TEST(Lineage, IsToldOutOfTheMembersThatAwsHas) {
  const auto text = to_text(lineage_of(package(R"({
      "ModelPackageArn": "arn", "SourceUri": "s3://b/trained.onnx",
      "MetadataProperties": {"CommitId": "4f3a", "Repository": "/srv/line.git", "GeneratedBy": "run"},
      "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json",
          "ContentDigest": "sha256:aa11", "S3Uri": "s3://b/report.json"}}},
      "CustomerMetadataProperties": {"DataSet": "s3://b/data.tar", "DataSetSha256": "bb22",
          "LoneSha256": "cc33", "TaskToken0": "secret", "TaskToken1": "more"}})")));
  EXPECT_EQ(text,
            "  CommitId                 4f3a\n"
            "  Repository               /srv/line.git\n"
            "  GeneratedBy              run\n"
            "  SourceUri                s3://b/trained.onnx\n"
            "  ModelQuality.Statistics  s3://b/report.json\n"
            "                           sha256:aa11\n"
            "  DataSet                  s3://b/data.tar\n"
            "                           sha256:bb22\n"
            "  LoneSha256               cc33\n");
}

TEST(Lineage, OfAPackageWithoutAnyIsEmpty) {
  EXPECT_EQ(to_text(lineage_of(package(R"({"ModelPackageArn": "arn"})"))), "");
  EXPECT_EQ(to_text(lineage_of(package(R"({"ModelMetrics": [], "MetadataProperties": 1})"))), "");
}

TEST(Lineage, OfOutsideIsMadeSafeForATerminal) {
  const auto text = to_text(lineage_of(package(
      R"({"CustomerMetadataProperties": {"\u001b[2Ja": "\u001b[2J"},
          "ModelMetrics": {"\u001b[2J": {"S3Uri": "\u001b[2J", "ContentDigest": "sha256:\u001b"}}})")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("a"));
}

TEST(Lineage, ATaskTokenSaysThatAnExecutionWaits) {
  EXPECT_EQ(waiting_execution(package(R"({"CustomerMetadataProperties": {"TaskToken0": "x"},
                                          "MetadataProperties": {"GeneratedBy": "run"}})")),
            "run");
  EXPECT_EQ(waiting_execution(package(R"({"CustomerMetadataProperties": {"TaskToken0": "x"}})")),
            "");
  EXPECT_FALSE(waiting_execution(package(R"({"CustomerMetadataProperties": {"DataSet": "x"}})")));
  EXPECT_FALSE(waiting_execution(package("{}")));
}

}  // namespace
}  // namespace andon::cli

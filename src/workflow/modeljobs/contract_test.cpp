// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "base/error/error.hpp"
#include "workflow/modeljobs/image_commands.hpp"
#include "workflow/modeljobs/job_contract.hpp"
#include "workflow/modeljobs/metrics.hpp"

namespace andon::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(ImageCommands, TheFirstThatFitsCountsAndNoneIsRefusedByNameWithTheFile) {
  const auto images = ImageCommands::parse(R"(
images:
  - image: "*/scikit:*-cpu"
    command: [python3]
    memoryMiB: 12
  - image: "exact"
    command: [sh, -c, "true"]
)",
                                           "images.yaml");
  EXPECT_EQ(images.require("host/scikit:1-cpu").limits.memory_bytes, 12ULL << 20U);
  EXPECT_THAT(images.require("exact").command, ElementsAre("sh", "-c", "true"));
  const std::string why = refusal([&] { (void)images.require("host/scikit:1-gpu"); });
  EXPECT_THAT(why, HasSubstr("host/scikit:1-gpu"));
  EXPECT_THAT(why, HasSubstr("images.yaml"));
  EXPECT_THAT(refusal([] { (void)ImageCommands().require("x"); }), HasSubstr("--job-images"));
  for (const char* bad : {"images: [{image: a}]", "images: [{image: a, command: []}]",
                          "images: [{image: a, command: [x], typo: 1}]", "image: []"}) {
    EXPECT_NE(refusal([&] { (void)ImageCommands::parse(bad, "f"); }), "it was taken") << bad;
  }
}

TEST(Metrics, OfEachTheLastValueThatIsANumberCounts) {
  const auto definitions = base::parse_json(R"json([{"Name": "loss", "Regex": "loss=(\\S+)"},
                               {"Name": "none", "Regex": "accuracy=(\\S+)"}])json",
                                            "definitions")
                               .as_array();
  const auto found = read_metrics(definitions, "loss=3\nloss=2.5 loss=1.5e-1\nloss=nan\nend\n",
                                  std::chrono::seconds(60));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "loss");
  EXPECT_EQ(found[0].value, 0.15);
}

TEST(S3Uri, IsABucketAndAKey) {
  EXPECT_EQ(parse_s3_uri("s3://b/c/d", "X").key, "c/d");
  EXPECT_EQ(parse_s3_uri("s3://b", "X").key, "");
  EXPECT_THAT(refusal([] { (void)parse_s3_uri("http://b/c", "S3Uri"); }), HasSubstr("S3Uri"));
  EXPECT_THAT(refusal([] { (void)parse_s3_uri("s3:///c", "S3Uri"); }), HasSubstr("S3Uri"));
}

}  // namespace
}  // namespace andon::workflow

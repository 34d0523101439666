// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "vision/draw/annotate.hpp"

namespace andon::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class DemoResultsTest : public testing::Test {
 protected:
  DemoResultsTest() {
    base::make_directories(images_);
    const vision::Image grey{.size = {32, 24}, .rgb = std::vector<std::uint8_t>(32 * 24 * 3, 128)};
    base::write_file_atomically(images_ / "tag.jpg", vision::encode_jpeg(grey));
  }
  static std::string message(const std::string& image, const std::string& rest) {
    return R"({"image":{"name":")" + image + R"("},)" + rest + "}";
  }

  base::TemporaryDirectory directory_;
  base::fs::path images_ = directory_.path() / "images";
  base::fs::path out_ = directory_.path() / "out";
};

TEST_F(DemoResultsTest, KeepsOneOfEachImageAndCountsTheRest) {
  DemoResults results(images_, out_);
  const std::string found =
      message("tag.jpg",
              R"("detections":[{"class_id":0,"label":"scratch","confidence":0.87,"box":[4,5,10,8]}],
         "ms":{"decode":1.5,"infer":20})");
  const std::string unreadable =
      message("broken.jpg", R"("error":{"message":"not an image","code":"data_corrupted"})");
  testing::internal::CaptureStdout();
  results.receive(found);
  results.receive(unreadable);
  results.receive(found);
  results.process(milliseconds{0});
  const std::string table = testing::internal::GetCapturedStdout();

  EXPECT_EQ(results.count(), 2U);
  EXPECT_EQ(results.with_detections(), 1U);
  EXPECT_EQ(results.failed(), 1U);
  EXPECT_EQ(results.repeated(), 1U);
  EXPECT_TRUE(results.has("tag.jpg"));
  EXPECT_FALSE(results.has("other.jpg"));
  EXPECT_THAT(table, HasSubstr("IMAGE"));
  EXPECT_THAT(table, HasSubstr("0.87"));
  EXPECT_THAT(table, HasSubstr("4,5 10x8"));
  EXPECT_THAT(table, HasSubstr("not an image"));
  EXPECT_EQ(base::read_file(out_ / "results.jsonl"), found + "\n" + unreadable + "\n");
  EXPECT_TRUE(base::fs::exists(out_ / "annotated" / "tag.jpg"));
  EXPECT_FALSE(base::fs::exists(out_ / "annotated" / "broken.jpg"));
}

TEST_F(DemoResultsTest, BeginsItsFileAnewAndSaysWhereItCannotWrite) {
  base::make_directories(out_);
  base::write_file_atomically(out_ / "results.jsonl", "of yesterday\n");
  { const DemoResults results(images_, out_); }
  EXPECT_EQ(base::read_file(out_ / "results.jsonl"), "");
  base::fs::remove(out_ / "results.jsonl");
  base::make_directories(out_ / "results.jsonl");
  EXPECT_THROW(DemoResults(images_, out_), base::Error);
}

}  // namespace
}  // namespace andon::cli

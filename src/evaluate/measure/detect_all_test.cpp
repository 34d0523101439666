// SPDX-License-Identifier: Apache-2.0
#include "evaluate/measure/detect_all.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluate/measure/benchmark.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::evaluate {
namespace {

namespace fs = base::fs;
using testing::HasSubstr;

// One box in the middle of a white picture; its score is the brightness.
vision::ModelFile tiny_model() {
  return vision::model_in_memory(vision::tiny_onnx::detector(vision::tiny_onnx::one_box()),
                                 "tiny.onnx");
}

std::string plain_picture(vision::Size size, std::uint8_t value) {
  vision::Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), value);
  return vision::encode_jpeg(image);
}

class DetectAll : public testing::Test {
 protected:
  // Pictures of growing brightness.
  std::vector<fs::path> pictures(int count) {
    std::vector<fs::path> files;
    for (int i = 0; i < count; ++i) {
      files.push_back(directory_.path() / (std::to_string(i) + ".jpg"));
      base::write_file_atomically(files.back(),
                                  plain_picture({64, 64}, static_cast<std::uint8_t>(5 + 10 * i)));
    }
    return files;
  }

  base::TemporaryDirectory directory_;
  vision::ModelFile model_ = tiny_model();
};

TEST_F(DetectAll, GivesTheSameInTheSameOrderWithAnyNumberOfWorkers) {
  const auto files = pictures(20);
  std::vector<float> first;
  for (const int workers : {1, 2, 5}) {
    DetectAllOptions options;
    options.workers = workers;
    const auto found = detect_all(vision::test_runtime(), model_, files, options);
    ASSERT_EQ(found.images.size(), files.size());
    std::vector<float> scores;
    for (const ImageDetections& image : found.images) {
      ASSERT_EQ(image.detections.size(), 1U);
      scores.push_back(image.detections[0].confidence);
    }
    EXPECT_TRUE(std::is_sorted(scores.begin(), scores.end()));
    if (first.empty()) first = scores;
    EXPECT_EQ(scores, first);
  }
}

TEST_F(DetectAll, TellsItsProgressUpToTheEnd) {
  std::pair<std::size_t, std::size_t> last;
  DetectAllOptions options;
  options.on_progress = [&](std::size_t done, std::size_t total) { last = {done, total}; };
  static_cast<void>(detect_all(vision::test_runtime(), model_, pictures(3), options));
  EXPECT_EQ(last, std::pair(std::size_t{3}, std::size_t{3}));
}

TEST_F(DetectAll, GoesOnWhereAPictureCannotBeReadAndNamesIt) {
  auto files = pictures(3);
  base::write_file_atomically(files[1], "no picture");
  files.push_back(directory_.path() / "absent.jpg");
  const auto found = detect_all(vision::test_runtime(), model_, files);
  EXPECT_FALSE(found.images[0].error);
  EXPECT_TRUE(found.images[1].error);
  EXPECT_FALSE(found.images[2].error);
  try {
    require_all_readable(found, files);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr("2 of 4 pictures cannot be read:\n  1.jpg: "));
  }
}

TEST_F(DetectAll, EndsWhenItIsStoppedOrTooLate) {
  const auto code_of = [&](const DetectAllOptions& options) {
    try {
      static_cast<void>(detect_all(vision::test_runtime(), model_, pictures(20), options));
    } catch (const base::Error& error) {
      return error.code();
    }
    return base::ErrorCode::internal;
  };
  std::stop_source source;
  DetectAllOptions options;
  options.stop = source.get_token();
  source.request_stop();
  EXPECT_EQ(code_of(options), base::ErrorCode::cancelled);
  options = {};
  options.deadline = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(options), base::ErrorCode::deadline_exceeded);
}

TEST_F(DetectAll, RefusesAModelThatCannotBeRun) {
  EXPECT_THROW(
      static_cast<void>(detect_all(vision::test_runtime(),
                                   vision::model_in_memory("no model", "x.onnx"), pictures(2))),
      base::Error);
}

TEST_F(DetectAll, RefusesLabelsOfPicturesOfAnotherSize) {
  const auto files = pictures(1);
  const auto found = detect_all(vision::test_runtime(), model_, files);
  Dataset dataset;
  dataset.categories = {{0, "scratch"}};
  dataset.images = {{1, "0.jpg", {64, 64}, {}}};
  EXPECT_EQ(findings_of(found, dataset).at(0).size(), 1U);
  dataset.images[0].size = {64, 65};
  try {
    static_cast<void>(findings_of(found, dataset));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("'0.jpg' has 64x64 pixels, the labels say 64x65"));
  }
}

TEST(Benchmark, MeasuresModelsInTurnsOnTheSamePictures) {
  const std::vector<vision::ModelFile> models{tiny_model(), tiny_model()};
  const std::vector<std::string> pictures{noise_picture({40, 30})};
  BenchmarkOptions options;
  options.runs = 5;
  const auto results = benchmark(vision::test_runtime(), models, pictures, options);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].total_ms.size(), 5U);
  EXPECT_EQ(results[1].latency.inference.count, 5U);
  EXPECT_GT(results[0].latency.total.p50_ms, results[0].latency.inference.min_ms);
  EXPECT_GT(peak_resident_bytes(), 1'000'000U);
}

TEST(Benchmark, NeedsPictures) {
  const std::vector<vision::ModelFile> models{tiny_model()};
  EXPECT_THROW(static_cast<void>(benchmark(vision::test_runtime(), models, {})), base::Error);
}

TEST(Benchmark, CountsPicturesPerSecondOnAllWorkers) {
  const std::vector<std::string> pictures{noise_picture({40, 30})};
  const auto result = measure_throughput(vision::test_runtime(), tiny_model(), pictures,
                                         std::chrono::milliseconds(20), 2);
  EXPECT_EQ(result.workers, 2);
  EXPECT_GE(result.pictures, 2U);
  EXPECT_GT(result.per_second, 0);
}

TEST(MedianRatio, ComparesPictureByPicture) {
  const std::vector<double> left{10, 100, 1000};
  const std::vector<double> right{5, 50, 2000};
  EXPECT_DOUBLE_EQ(median_ratio(left, right), 0.5);
  EXPECT_DOUBLE_EQ(median_ratio({}, {}), 1);
}

}  // namespace
}  // namespace andon::evaluate

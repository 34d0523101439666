// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/calibration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "model/testing/models.hpp"
#include "vision/draw/annotate.hpp"

namespace andon::model {
namespace {

using ::testing::HasSubstr;

std::vector<float> bell(std::size_t count, float spread, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    // The sum of twelve even numbers: near enough, and the same with every library.
    float sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>(generator() % 10'000U) / 10'000.0F;
    value = sum * spread;
  }
  return values;
}

TEST(Histogram, DoesNotDependOnTheOrder) {
  const std::vector<float> small = bell(5000, 0.01F, 1);
  const std::vector<float> large = bell(5000, 30.0F, 2);
  Histogram first;
  first.add(small);
  first.add(large);
  Histogram second;
  second.add(large);
  second.add(small);
  Histogram merged_small;
  merged_small.add(small);
  Histogram merged;
  merged.add(large);
  merged.add(merged_small);
  merged_small.add(first);
  for (const double share : {0.9, 0.99, 0.999, 1.0}) {
    EXPECT_EQ(first.percentile(share), second.percentile(share));
    EXPECT_EQ(first.percentile(share), merged.percentile(share));
  }
  EXPECT_EQ(first.entropy(), merged.entropy());
  EXPECT_EQ(merged_small.count(), 15'000U);
}

TEST(Histogram, APercentileLeavesOutliersOut) {
  std::vector<float> values = bell(100'000, 1.0F, 3);
  values.push_back(1000.0F);
  Histogram histogram;
  histogram.add(values);
  EXPECT_FLOAT_EQ(histogram.extremes().high, 1000.0F);
  EXPECT_LT(histogram.percentile(0.9999).high, 6.0F);
  EXPECT_GT(histogram.percentile(0.9999).high, 2.0F);
  EXPECT_FLOAT_EQ(histogram.percentile(1.0).high, 1000.0F);
}

TEST(Histogram, EntropyLeavesALongThinTailOut) {
  std::vector<float> values = bell(200'000, 1.0F, 4);
  values.push_back(200.0F);
  Histogram histogram;
  histogram.add(values);
  const Range range = histogram.entropy();
  EXPECT_LT(range.high, 60.0F);
  EXPECT_GT(range.high, 2.0F);
  EXPECT_LT(range.low, -2.0F);
}

TEST(Histogram, HoldsZeroAndStandsConstants) {
  Histogram zeros;
  zeros.add(std::vector<float>(100, 0.0F));
  EXPECT_EQ(zeros.percentile(0.99), (Range{0, 0}));
  Histogram positive;
  positive.add(std::vector<float>(100, 5.0F));
  EXPECT_EQ(positive.percentile(1.0).low, 0.0F);
  EXPECT_FLOAT_EQ(positive.percentile(1.0).high, 5.0F);
  EXPECT_EQ(Histogram().entropy(), (Range{0, 0}));
}

// Pictures of one colour each, in a folder.
class Calibrate : public ::testing::Test {
 protected:
  void add_picture(const std::string& name, std::uint8_t level, vision::Size size = {64, 64}) {
    vision::Image image{size, {}};
    image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), level);
    base::write_file_atomically(folder_.path() / name, vision::encode_jpeg(image, 95));
  }
  std::map<std::string, Range> run(CalibrationOptions options = {}) {
    const CalibrationSet set = choose_pictures(folder_.path(), options.max_images);
    return calibrate(test_runtime(), scaled().model(), {"x", "y"}, set, options);
  }
  // y = 4 x - 1
  static ModelBuilder scaled() {
    ModelBuilder builder;
    builder.input("x", {1, 3, 32, 32});
    builder.node("Mul", {"x", builder.floats("four", {}, {4.0F})}, {"m"});
    builder.node("Sub", {"m", builder.floats("one", {}, {1.0F})}, {"y"});
    builder.output("y", {1, 3, 32, 32});
    return builder;
  }
  base::TemporaryDirectory folder_;
};

TEST_F(Calibrate, MinMaxTakesTheExtremesOfAllPictures) {
  add_picture("a.jpg", 0);
  add_picture("b.jpg", 255);
  const auto ranges = run();
  EXPECT_NEAR(ranges.at("x").high, 1.0, 0.02);
  EXPECT_NEAR(ranges.at("y").low, -1.0, 0.05);
  EXPECT_NEAR(ranges.at("y").high, 3.0, 0.05);
}

TEST_F(Calibrate, AMovingAverageGivesOnePictureLittleWeight) {
  add_picture("a.jpg", 128);
  add_picture("b.jpg", 255);
  CalibrationOptions options;
  options.method = CalibrationMethod::moving_average;
  options.moving_average_share = 0.1;
  EXPECT_NEAR(run(options).at("x").high, 0.55, 0.02);
}

TEST_F(Calibrate, GivesTheSameWithAnyNumberOfWorkersAndGroups) {
  for (int i = 0; i < 9; ++i) {
    add_picture("p" + std::to_string(i) + ".jpg", static_cast<std::uint8_t>(20 + i * 25),
                {40 + i * 10, 90});
  }
  for (const auto method : {CalibrationMethod::min_max, CalibrationMethod::moving_average,
                            CalibrationMethod::percentile, CalibrationMethod::entropy}) {
    CalibrationOptions options;
    options.method = method;
    options.workers = 1;
    const auto alone = run(options);
    options.workers = 3;
    options.max_bytes = 1;
    EXPECT_EQ(alone, run(options)) << to_string(method);
  }
}

TEST_F(Calibrate, NamesAPictureThatCannotBeRead) {
  add_picture("a.jpg", 10);
  base::write_file_atomically(folder_.path() / "broken.jpg", "not a picture");
  try {
    static_cast<void>(run());
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("broken.jpg"));
  }
}

TEST_F(Calibrate, RefusesADirectoryWithoutPictures) {
  base::write_file_atomically(folder_.path() / "notes.txt", "none");
  EXPECT_THROW(static_cast<void>(choose_pictures(folder_.path(), 10)), base::Error);
  EXPECT_THROW(static_cast<void>(choose_pictures(folder_.path() / "nowhere", 10)), base::Error);
}

TEST_F(Calibrate, ChoosesAndDigestsTheSamePicturesEachTime) {
  for (int i = 0; i < 8; ++i) {
    add_picture("p" + std::to_string(i) + ".jpg", static_cast<std::uint8_t>(i));
  }
  const CalibrationSet four = choose_pictures(folder_.path(), 4);
  ASSERT_EQ(four.files.size(), 4U);
  EXPECT_EQ(four.files[1].filename(), "p2.jpg");
  EXPECT_EQ(four.digest, choose_pictures(folder_.path(), 4).digest);
  add_picture("p2.jpg", 99);
  EXPECT_NE(four.digest, choose_pictures(folder_.path(), 4).digest);
}

TEST_F(Calibrate, RefusesValuesThatAreNoNumbers) {
  add_picture("a.jpg", 0);
  ModelBuilder builder;
  builder.input("x", {1, 3, 32, 32});
  builder.node("Log", {"x"}, {"y"});
  builder.output("y", {1, 3, 32, 32});
  try {
    static_cast<void>(
        calibrate(test_runtime(), builder.model(), {"y"}, choose_pictures(folder_.path(), 1), {}));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("'y' is not finite for picture a.jpg"));
  }
}

}  // namespace
}  // namespace andon::model

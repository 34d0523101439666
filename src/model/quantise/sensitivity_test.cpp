// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/sensitivity.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/os/file.hpp"
#include "base/testing/no_threads.hpp"
#include "model/graph/cleanup.hpp"
#include "model/testing/models.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/image/decode.hpp"

namespace andon::model {
namespace {

class Sensitivity : public ::testing::Test {
 protected:
  Sensitivity() : model_(tiny_detector().model()) {
    vision::Image image{{64, 64}, {}};
    image.rgb.assign(image.row_bytes() * 64, 100);
    base::write_file_atomically(folder_.path() / "a.jpg", vision::encode_jpeg(image, 95));
    plan_ =
        plan_quantisation(model_, find_tail(model_), observe(test_runtime(), model_, std::nullopt));
    const CalibrationSet pictures = choose_pictures(folder_.path(), 1);
    ranges_ = calibrate(test_runtime(), model_, plan_.tensors, pictures, {.workers = 1});
    complete_ranges(model_, plan_, ranges_);
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> measure(
      const SensitivityOptions& options) const {
    std::vector<std::pair<std::string, double>> errors;
    for (const LayerSensitivity& layer :
         measure_sensitivity(test_runtime(), model_, plan_, ranges_, std::nullopt,
                             choose_pictures(folder_.path(), 1), options)) {
      errors.emplace_back(layer.node, layer.error);
    }
    return errors;
  }

  base::TemporaryDirectory folder_;
  Model model_;
  QuantisationPlan plan_;
  std::map<std::string, Range> ranges_;
};

TEST_F(Sensitivity, IsTheSameWithAnyNumberOfWorkers) {
  const auto alone = measure({.workers = 1});
  ASSERT_FALSE(alone.empty());
  EXPECT_EQ(measure({.workers = 3}), alone);
}

TEST_F(Sensitivity, IsMeasuredWhereNoThreadCanBeStarted) {
  const auto alone = measure({.workers = 1});
  const base::NoThreads none;
  EXPECT_EQ(measure({.workers = 3}), alone);
}

TEST_F(Sensitivity, PassesOnAnErrorOfAnyWorker) {
  const auto fail = [](std::size_t, std::size_t) { throw std::runtime_error("stopped"); };
  EXPECT_THROW((void)measure({.workers = 3, .on_progress = fail}), std::runtime_error);
}

}  // namespace
}  // namespace andon::model

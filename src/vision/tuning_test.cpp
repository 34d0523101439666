// SPDX-License-Identifier: Apache-2.0
#include "vision/tuning.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "vision/cores.hpp"
#include "vision/test_runtime.hpp"
#include "vision/tiny_onnx.hpp"

namespace andon::vision {
namespace {

TEST(Tuning, IsMeasuredOnceForAModelAndAGoal) {
  const base::TemporaryDirectory folder;
  const base::fs::path cache = folder.path() / "tuning.json";
  const std::string model = tiny_onnx::detector({});
  const auto tune_for = [&](TuningGoal goal) {
    return tune(test_runtime(), model, "tiny.onnx", {}, goal, cache);
  };
  const Tuning measured = tune_for(TuningGoal::throughput);
  EXPECT_EQ(measured.origin, Tuning::Origin::measured);
  EXPECT_LE(measured.workers * measured.threads, usable_cores());
  const Tuning again = tune_for(TuningGoal::throughput);
  EXPECT_EQ(again.origin, Tuning::Origin::remembered);
  EXPECT_EQ(again.workers, measured.workers);
  EXPECT_EQ(again.threads, measured.threads);
  EXPECT_EQ(again.waiting, measured.waiting);
  const Tuning latency = tune_for(TuningGoal::latency);
  EXPECT_EQ(latency.origin, Tuning::Origin::measured);
  EXPECT_EQ(latency.workers, 1);
}

TEST(Tuning, IsMeasuredAnewWhereWhatIsRememberedIsBroken) {
  const base::TemporaryDirectory folder;
  const base::fs::path cache = folder.path() / "tuning.json";
  base::write_file_atomically(cache, "{broken");
  const std::string model = tiny_onnx::detector({});
  const Tuning measured = tune(test_runtime(), model, "tiny.onnx", {}, TuningGoal::latency, cache);
  EXPECT_EQ(measured.origin, Tuning::Origin::measured);
  EXPECT_TRUE(base::parse_json(base::read_file(cache), "cache").is_object());
}

TEST(Tuning, DoesWithoutAFile) {
  EXPECT_GE(tune(test_runtime(), tiny_onnx::detector({}), "tiny.onnx", {}, TuningGoal::latency,
                 "/nonexistent/folder/tuning.json")
                .threads,
            1);
}

}  // namespace
}  // namespace andon::vision

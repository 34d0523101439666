// SPDX-License-Identifier: Apache-2.0
#include "vision/tuning/tuning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"
#include "base/os/cores.hpp"
#include "vision/runtime/cores.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

constexpr auto kNever = [] { return false; };

Tuner tuner_of(const std::string& model, const TuningRequest& request) {
  return {test_runtime(), model_in_memory(model, "tiny.onnx"), {}, request};
}

TuningRequest request_for(TuningGoal goal) {
  TuningRequest request;
  request.goal = goal;
  request.batch = 1;
  return request;
}

// Each picture's mean is its own, so that a batch is what its pictures are.
std::string batch_model() {
  tiny_onnx::ModelSpec model;
  model.has_batch = true;
  model.input_shape = {-1, 3, 32, 32};
  model.outputs = {{"output0", {1, 5, 21}, {}, {}}};
  model.metadata = {{"names", "{0: 'scratch'}"}, {"task", "detect"}};
  return tiny_onnx::model(model);
}

TEST(Tuning, KeepsToTheCoresThatMayBeUsed) {
  const std::string model = tiny_onnx::detector({});
  const auto throughput = tuner_of(model, request_for(TuningGoal::throughput)).measure(kNever);
  ASSERT_TRUE(throughput.has_value());
  EXPECT_EQ(throughput->origin, Tuning::Origin::measured);
  EXPECT_LE(throughput->workers * throughput->threads, base::usable_cores());
  EXPECT_GT(throughput->pictures_per_second, 0);
  const auto latency = tuner_of(model, request_for(TuningGoal::latency)).measure(kNever);
  EXPECT_EQ(latency->workers, 1);
  EXPECT_LE(latency->threads, base::usable_cores());
}

TEST(Tuning, KeepsToWhatIsSaidByHand) {
  TuningRequest request = request_for(TuningGoal::throughput);
  request.workers = 3;
  EXPECT_EQ(has_choice(request), base::usable_cores() > 1);
  request.threads = 2;
  EXPECT_FALSE(has_choice(request));
  request.pinning = TuningRequest::Pinning::measured;
  EXPECT_TRUE(has_choice(request));
  request.cores = {base::allowed_cores().back()};
  request.pinning = TuningRequest::Pinning::always;
  EXPECT_FALSE(has_choice(request));
  request.batch.reset();
  EXPECT_TRUE(has_choice(request));
  const auto tuning = tuner_of(batch_model(), request).measure(kNever);
  ASSERT_TRUE(tuning.has_value());
  EXPECT_EQ(tuning->workers, 3);
  EXPECT_EQ(tuning->threads, 2);
  EXPECT_TRUE(tuning->is_pinned);
}

TEST(Tuning, TriesBatchesOnlyOfAModelThatTakesThem) {
  TuningRequest request;
  request.workers = 1;
  request.threads = 1;
  EXPECT_EQ(tuner_of(tiny_onnx::detector({}), request).measure(kNever)->batch, 1U);
  // Which of them is the best is the machine's affair (TuningContest has the rule).
  EXPECT_THAT(tuner_of(batch_model(), request).measure(kNever)->batch,
              testing::AnyOf(1U, 2U, 4U, 8U, 16U));
  tiny_onnx::ModelSpec four;
  four.has_batch = true;
  four.input_shape = {4, 3, 32, 32};
  four.outputs = {{"output0", {1, 5, 21}, {}, {}}};
  EXPECT_EQ(tuner_of(tiny_onnx::model(four), request).measure(kNever)->batch, 4U);
}

TEST(Tuning, GoesOnWhereItWasInterrupted) {
  const std::string model = tiny_onnx::detector({});
  Tuner tuner = tuner_of(model, request_for(TuningGoal::latency));
  EXPECT_FALSE(tuner.measure([] { return true; }).has_value());
  // Each time it may look at 200 pictures more; what was measured is not measured again.
  int calls = 0;
  std::optional<Tuning> tuning;
  while (!tuning) {
    ASSERT_LT(++calls, 2'000);
    std::atomic<int> pictures = 0;
    tuning = tuner.measure([&] { return ++pictures > 200 * calls; });
  }
  EXPECT_GT(tuning->pictures_per_second, 0);
}

TEST(Tuning, IsRememberedForAModelARequestAndAMachine) {
  const base::TemporaryDirectory folder;
  const base::fs::path cache = folder.path() / "tuning.json";
  const auto key = [](std::string_view digest, const TuningRequest& request) {
    return tuning_key(test_runtime(), digest, {}, request);
  };
  TuningRequest request;
  const std::string mine = key("abc", request);
  EXPECT_EQ(remembered_tuning(cache, mine), std::nullopt);
  Tuning tuning;
  tuning.workers = 3;
  tuning.threads = 2;
  tuning.batch = 4;
  tuning.waiting = SessionOptions::Waiting::spin;
  tuning.is_pinned = true;
  remember_tuning(cache, mine, tuning);
  const auto again = remembered_tuning(cache, mine);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->origin, Tuning::Origin::remembered);
  EXPECT_EQ(again->workers, 3);
  EXPECT_EQ(again->threads, 2);
  EXPECT_EQ(again->batch, 4U);
  EXPECT_EQ(again->waiting, SessionOptions::Waiting::spin);
  EXPECT_TRUE(again->is_pinned);
  EXPECT_EQ(remembered_tuning(cache, key("def", request)), std::nullopt);
  request.threads = 1;
  EXPECT_EQ(remembered_tuning(cache, key("abc", request)), std::nullopt);
}

TEST(Tuning, DoesWithoutAFileThatCanBeReadOrWritten) {
  const base::TemporaryDirectory folder;
  const base::fs::path cache = folder.path() / "tuning.json";
  base::write_file_atomically(cache, "{broken");
  EXPECT_EQ(remembered_tuning(cache, "key"), std::nullopt);
  remember_tuning(cache, "key", {});
  EXPECT_TRUE(remembered_tuning(cache, "key").has_value());
  remember_tuning("/nonexistent/folder/tuning.json", "key", {});
  EXPECT_EQ(remembered_tuning("/nonexistent/folder/tuning.json", "key"), std::nullopt);
}

}  // namespace
}  // namespace andon::vision

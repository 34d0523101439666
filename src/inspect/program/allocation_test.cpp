// SPDX-License-Identifier: Apache-2.0
// Counts what a worker allocates for a frame, from its file to its detections.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/testing/allocations.hpp"
#include "inspect/look/inspector.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

using base::allocations;

constexpr std::size_t kFrames = 1000;

// All 21 anchors see something; a name is longer than a string holds without memory of its own.
std::string busy_model() {
  vision::tiny_onnx::ModelSpec spec;
  spec.has_batch = true;
  spec.input_shape = {-1, 3, 32, 32};
  vision::tiny_onnx::OutputSpec output;
  output.name = "output0";
  output.shape = {1, 6, 21};
  for (int i = 0; i < 6 * 21; ++i) {
    const int anchor = i % 21;
    const float rows[] = {static_cast<float>(4 + anchor % 5 * 6),
                          static_cast<float>(4 + anchor),
                          8,
                          8,
                          anchor % 2 == 0 ? 0.9F : 0,
                          anchor % 2 == 0 ? 0 : 0.8F};
    output.values.push_back(rows[i / 21]);
  }
  spec.outputs = {output};
  spec.metadata = {{"names", "{0: 'a scratch across the whole of the tag', 1: 'dent'}"},
                   {"task", "detect"}};
  return vision::tiny_onnx::model(spec);
}

// A worker's day: the same jobs again and again, as the service reuses them.
class HotPath : public testing::Test {
 protected:
  void SetUp() override {
    const vision::Image image{{320, 200}, std::vector<std::uint8_t>(320 * 200 * 3, 255)};
    const base::fs::path path = folder_.path() / "frame-with-a-rather-long-name.jpg";
    base::write_file_atomically(path, vision::encode_jpeg(image));
    auto model = std::make_shared<Model>();
    vision::DetectorOptions options;
    options.max_batch = kMostJobs;
    model->parallelism.batch = kMostJobs;
    model->detectors.push_back(
        std::make_unique<vision::Detector>(runtime_, busy_model(), "tiny.onnx", options));
    model->sha256 = std::string(64, 'a');
    model_ = model;
    for (std::size_t i = 0; i < kMostJobs; ++i) {
      Job& job = *jobs_.emplace_back(std::make_unique<Job>());
      job.model = model_;
      job.settings = settings_;
      job.frame = *open_picture(path);
    }
  }

  // Of a run in ONNX Runtime, which allocates in its own way.
  std::size_t count_run(std::size_t batch) {
    vision::Session session(runtime_, busy_model(), "tiny.onnx");
    const std::span<float> input =
        session.bind_input({static_cast<std::int64_t>(batch), 3, 32, 32});
    std::fill(input.begin(), input.end(), 1.0F);
    for (int i = 0; i < 3; ++i) (void)session.run();
    const std::size_t before = allocations;
    (void)session.run();
    return allocations - before;
  }

  void rewind() {
    for (const auto& job : jobs_) lseek(job->frame.file.get(), 0, SEEK_SET);
  }

  static constexpr std::size_t kMostJobs = 3;
  base::TemporaryDirectory folder_;
  vision::OnnxRuntime runtime_;
  base::SystemClock clock_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Settings> settings_ = std::make_shared<Settings>();
  std::vector<std::unique_ptr<Job>> jobs_;
  Inspector inspector_{InspectorOptions{.workers = 1,
                                        .thing = {},
                                        .component = {},
                                        .uploads = Uploads::off,
                                        .annotations = {},
                                        .raw_format = std::nullopt},
                       clock_};
};

TEST_F(HotPath, OfAWorkerAllocatesNothingOfItsOwnFromTheFileToTheDetections) {
  for (const std::size_t batch : {std::size_t{1}, kMostJobs}) {
    std::vector<Job*> jobs;
    for (std::size_t i = 0; i < batch; ++i) jobs.push_back(jobs_[i].get());
    const std::size_t of_the_run = count_run(batch);
    std::size_t counted = 0;
    for (std::size_t i = 0; i < kFrames + 3; ++i) {
      rewind();
      const std::size_t before = allocations;
      inspector_.find(0, jobs);
      if (i >= 3) counted += allocations - before;
    }
    for (const Job* job : jobs) {
      ASSERT_FALSE(job->inspection.error.has_value()) << job->inspection.error->message();
      ASSERT_GT(job->inspection.detections.size(), 2U);
    }
    // ONNX Runtime allocates once more in a few runs of a thousand.
    EXPECT_GE(counted, kFrames * of_the_run) << "in batches of " << batch;
    EXPECT_LE(counted, kFrames * of_the_run + kFrames / 50) << "in batches of " << batch;
  }
}

TEST_F(HotPath, OfThePipelinesWorkerAllocatesNothing) {
  constexpr std::size_t kInFlight = 4;
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t looked_at = 0;
  Pipeline pipeline({.workers = 1, .frames_in_flight = kInFlight, .batch = 2, .cores = {}},
                    [&](int, std::span<Job* const> jobs) {
                      if (looked_at == 0) first = allocations;
                      looked_at += jobs.size();
                      last = allocations;
                    });
  for (std::size_t taken = 0, given = 0; taken < kFrames;) {
    while (given < kFrames && pipeline.has_room()) {
      pipeline.submit(std::make_unique<Job>());
      ++given;
    }
    pipeline.wait_until_done();
    while (pipeline.take()) ++taken;
  }
  EXPECT_EQ(looked_at, kFrames);
  EXPECT_EQ(last, first);
}

}  // namespace
}  // namespace andon::inspect

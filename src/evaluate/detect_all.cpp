// SPDX-License-Identifier: Apache-2.0
#include "evaluate/detect_all.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "vision/decode.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxFileBytes = 256U << 20U;
constexpr std::chrono::milliseconds kPatience{200};
constexpr std::size_t kNamesShown = 5;

// What the workers share. They take the next picture each, and write only their own results.
class Work {
 public:
  explicit Work(std::size_t total) : total_(total) {}

  // Nothing where there are no more, or where a worker has failed.
  [[nodiscard]] std::optional<std::size_t> take() {
    const std::scoped_lock lock(mutex_);
    if (failure_ || is_stopped_ || next_ == total_) return std::nullopt;
    return next_++;
  }
  void finish_one() {
    const std::scoped_lock lock(mutex_);
    ++done_;
    changed_.notify_one();
  }
  void fail(std::exception_ptr failure) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    changed_.notify_one();
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    is_stopped_ = true;
  }
  // Lets the workers end after their picture, however the scope is left.
  class StopAtEnd {
   public:
    explicit StopAtEnd(Work& work) : work_(work) {}
    StopAtEnd(const StopAtEnd&) = delete;
    StopAtEnd& operator=(const StopAtEnd&) = delete;
    ~StopAtEnd() { work_.stop(); }

   private:
    Work& work_;
  };
  // Waits until something has changed, or a little. True when there is nothing more to wait for.
  bool wait(std::size_t& done) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return failure_ || done_ == total_; });
    done = done_;
    return failure_ || done_ == total_;
  }
  void rethrow_failure() {
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const std::size_t total_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  bool is_stopped_ = false;
  std::exception_ptr failure_;
};

ImageDetections look_at(const fs::path& file, vision::ImageDecoder& decoder,
                        vision::Detector& detector, const vision::DetectionOptions& options) {
  ImageDetections result;
  const vision::Image* image = nullptr;
  try {
    const std::string bytes = base::read_file(file, kMaxFileBytes);
    const auto start = SteadyClock::now();
    image = &decoder.decode(bytes, file.filename().string(),
                            {.colours = vision::DecodeHint::Colours::may_be_planes});
    result.decode = SteadyClock::now() - start;
  } catch (const Error& error) {
    result.error = error;
    return result;
  }
  result.size = image->size;
  vision::Detector::Result found = detector.detect(*image, options);
  result.detections = std::move(found.detections);
  result.preprocess = found.preprocess;
  result.inference = found.inference;
  result.postprocess = found.postprocess;
  return result;
}

std::size_t count_workers(int wanted, std::size_t files) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t workers = wanted > 0 ? static_cast<std::size_t>(wanted) : cores;
  return std::clamp<std::size_t>(workers, 1, std::max<std::size_t>(files, 1));
}

}  // namespace

ModelDetections detect_all(const vision::OnnxRuntime& runtime, std::string_view model,
                           std::string_view name, std::span<const fs::path> files,
                           const DetectAllOptions& options) {
  ModelDetections result;
  result.images.resize(files.size());
  Work work(files.size());
  const auto run_worker = [&](vision::Detector& detector) {
    vision::ImageDecoder decoder;
    while (const auto index = work.take()) {
      result.images[*index] = look_at(files[*index], decoder, detector, options.detection);
      work.finish_one();
    }
  };
  const vision::DetectorOptions detector_options{.session = {}, .input_size = options.input_size};
  // The first session is made here, so that a model that cannot be run fails once.
  vision::Detector first(runtime, model, name, detector_options);
  result.model = first.description();
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < count_workers(options.workers, files.size()); ++i) {
      workers.emplace_back([&, i] {
        try {
          if (i == 0) {
            run_worker(first);
          } else {
            vision::Detector own(runtime, model, name, detector_options);
            run_worker(own);
          }
        } catch (...) {
          work.fail(std::current_exception());
        }
      });
    }
    const Work::StopAtEnd stop(work);
    std::size_t done = 0;
    do {
      if (options.on_progress && done > 0) options.on_progress(done, files.size());
      const bool is_late = options.deadline && SteadyClock::now() > *options.deadline;
      if (!options.stop.stop_requested() && !is_late) continue;
      throw Error(
          is_late ? ErrorCode::deadline_exceeded : ErrorCode::cancelled,
          fmt::format("{}: {} after {} of {} pictures", name,
                      is_late ? "the time for it was over" : "it was stopped", done, files.size()));
    } while (!work.wait(done));
  }
  work.rethrow_failure();
  if (options.on_progress) options.on_progress(files.size(), files.size());
  return result;
}

void require_all_readable(const ModelDetections& detections, std::span<const fs::path> files) {
  std::size_t count = 0;
  std::string reasons;
  for (std::size_t i = 0; i < detections.images.size(); ++i) {
    const std::optional<Error>& error = detections.images[i].error;
    if (!error) continue;
    if (++count <= kNamesShown) {
      reasons += fmt::format("\n  {}: {}", files[i].filename().string(), error->message());
    }
  }
  if (count == 0) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} of {} pictures cannot be read:{}{}", count, files.size(), reasons,
                          count > kNamesShown ? "\n  ..." : ""));
}

std::vector<Findings> findings_of(const ModelDetections& detections, const Dataset& dataset) {
  const std::vector<std::size_t> categories = match_labels(dataset, detections.model.labels);
  std::vector<Findings> findings;
  findings.reserve(dataset.images.size());
  for (std::size_t i = 0; i < dataset.images.size(); ++i) {
    const LabelledImage& image = dataset.images[i];
    const ImageDetections& found = detections.images.at(i);
    if (image.size != vision::Size{} && image.size != found.size) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("the labels do not fit the pictures: '{}' has {}x{} pixels, the labels "
                      "say {}x{}{}",
                      image.file_name, found.size.width, found.size.height, image.size.width,
                      image.size.height,
                      image.size == vision::Size{found.size.height, found.size.width}
                          ? " (the file says that it is to be turned, EXIF; boxes have to be "
                            "those of the turned picture)"
                          : ""));
    }
    findings.push_back(to_findings(found.detections, categories));
  }
  return findings;
}

}  // namespace andon::evaluate

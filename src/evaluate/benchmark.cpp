// SPDX-License-Identifier: Apache-2.0
#include "evaluate/benchmark.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "evaluate/dataset.hpp"
#include "vision/annotate.hpp"
#include "vision/decode.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxFileBytes = 256U << 20U;

void require_pictures(std::span<const std::string> pictures) {
  if (pictures.empty()) {
    throw Error(ErrorCode::invalid_argument, "there is no picture to measure with");
  }
}

void throw_if_stopped(const BenchmarkOptions& options) {
  if (options.stop.stop_requested()) throw Error(ErrorCode::cancelled, "it was stopped");
}

constexpr vision::DecodeHint kHint{.colours = vision::DecodeHint::Colours::may_be_planes};

// One model with all that a picture needs.
class Subject {
 public:
  Subject(const vision::OnnxRuntime& runtime, const BenchmarkModel& model,
          const BenchmarkOptions& options, int threads)
      : options_(options),
        detector_(runtime, model.bytes, model.name,
                  {.session = {.threads = threads,
                               .waiting = threads > 1 ? vision::SessionOptions::Waiting::spin
                                                      : vision::SessionOptions::Waiting::block},
                   .input_size = options.input_size}) {}

  void look_at(const std::string& picture) {
    const vision::Image& image = decoder_.decode(picture, "picture", kHint);
    static_cast<void>(detector_.detect(image, options_.detection));
  }

  void measure(const std::string& picture) {
    const auto start = SteadyClock::now();
    const vision::Image& image = decoder_.decode(picture, "picture", kHint);
    const vision::Milliseconds decoded = SteadyClock::now() - start;
    const vision::Detector::Result found = detector_.detect(image, options_.detection);
    const vision::Milliseconds all = SteadyClock::now() - start;
    decode_.push_back(decoded.count());
    preprocess_.push_back(found.preprocess.count());
    inference_.push_back(found.inference.count());
    postprocess_.push_back(found.postprocess.count());
    total_.push_back(all.count());
  }

  [[nodiscard]] BenchmarkResult result() const {
    using base::latency_of;
    return {{latency_of(decode_), latency_of(preprocess_), latency_of(inference_),
             latency_of(postprocess_), latency_of(total_)},
            total_};
  }

 private:
  const BenchmarkOptions& options_;
  vision::Detector detector_;
  vision::ImageDecoder decoder_;
  std::vector<double> decode_;
  std::vector<double> preprocess_;
  std::vector<double> inference_;
  std::vector<double> postprocess_;
  std::vector<double> total_;
};

}  // namespace

std::vector<BenchmarkResult> benchmark(const vision::OnnxRuntime& runtime,
                                       std::span<const BenchmarkModel> models,
                                       std::span<const std::string> pictures,
                                       const BenchmarkOptions& options) {
  require_pictures(pictures);
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const BenchmarkModel& model : models) {
    subjects.push_back(std::make_unique<Subject>(runtime, model, options, options.threads));
    for (std::size_t i = 0; i < options.warm_up_runs; ++i) {
      subjects.back()->look_at(pictures[i % pictures.size()]);
    }
  }
  const auto end = SteadyClock::now() + options.time_limit;
  for (std::size_t run = 0; run < std::max<std::size_t>(options.runs, 1); ++run) {
    if (run > 0 && SteadyClock::now() > end) break;
    throw_if_stopped(options);
    if (options.on_progress) options.on_progress(run, options.runs);
    // Who goes first changes each time: the second finds the picture's bytes in the cache.
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      subjects[(i + run) % subjects.size()]->measure(pictures[run % pictures.size()]);
    }
  }
  if (options.on_progress) options.on_progress(options.runs, options.runs);
  std::vector<BenchmarkResult> results;
  for (const auto& subject : subjects) results.push_back(subject->result());
  return results;
}

Throughput measure_throughput(const vision::OnnxRuntime& runtime, const BenchmarkModel& model,
                              std::span<const std::string> pictures,
                              std::chrono::milliseconds duration, int workers,
                              const BenchmarkOptions& options) {
  require_pictures(pictures);
  Throughput result;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  result.workers = workers > 0 ? workers : static_cast<int>(cores);
  std::latch ready(result.workers);
  std::atomic<std::size_t> count{0};
  std::mutex mutex;  // guards the three below
  std::exception_ptr failure;
  SteadyClock::time_point first = SteadyClock::time_point::max();
  SteadyClock::time_point last = SteadyClock::time_point::min();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < result.workers; ++i) {
      threads.emplace_back([&, i] {
        std::unique_ptr<Subject> subject;
        try {
          subject = std::make_unique<Subject>(runtime, model, options, 1);
          subject->look_at(pictures.front());
        } catch (...) {
          const std::scoped_lock lock(mutex);
          failure = std::current_exception();
        }
        ready.arrive_and_wait();
        if (!subject) return;
        try {
          const auto start = SteadyClock::now();
          auto now = start;
          for (auto at = static_cast<std::size_t>(i); now < start + duration; ++at) {
            if (options.stop.stop_requested()) return;
            subject->look_at(pictures[at % pictures.size()]);
            ++count;
            now = SteadyClock::now();
          }
          const std::scoped_lock lock(mutex);
          first = std::min(first, start);
          last = std::max(last, now);
        } catch (...) {
          const std::scoped_lock lock(mutex);
          failure = std::current_exception();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
  throw_if_stopped(options);
  result.pictures = count;
  const std::chrono::duration<double> elapsed = last - first;
  result.per_second = static_cast<double>(result.pictures) / elapsed.count();
  return result;
}

double median_ratio(std::span<const double> left, std::span<const double> right) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i] > 0) ratios.push_back(right[i] / left[i]);
  }
  if (ratios.empty()) return 1;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

std::size_t peak_resident_bytes() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss < 0) return 0;
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

std::vector<std::string> benchmark_pictures(const fs::path& directory, std::size_t count) {
  const std::vector<fs::path> files = image_files(directory);
  const std::size_t chosen = std::clamp<std::size_t>(count, 1, files.size());
  std::vector<std::string> pictures;
  for (std::size_t i = 0; i < chosen; ++i) {
    const fs::path& file = files[i * files.size() / chosen];
    pictures.push_back(base::read_file(file, kMaxFileBytes));
    vision::ImageDecoder decoder;
    static_cast<void>(decoder.decode(pictures.back(), file.string()));  // says which, if any
  }
  return pictures;
}

std::string noise_picture(vision::Size size) {
  vision::Image image{size, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(size.height));
  std::mt19937 random(1);  // NOLINT: the same picture each time is the point
  std::generate(image.rgb.begin(), image.rgb.end(),
                [&] { return static_cast<std::uint8_t>(random() >> 24U); });
  return vision::encode_jpeg(image);
}

}  // namespace andon::evaluate

// SPDX-License-Identifier: Apache-2.0
#include "evaluate/measure/benchmark.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>

#include "base/error/error.hpp"
#include "base/parallel/parallel.hpp"
#include "evaluate/labels/unreadable.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/image/decode.hpp"

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
  Subject(const vision::OnnxRuntime& runtime, const vision::ModelFile& model,
          const BenchmarkOptions& options, int threads)
      : options_(options),
        detector_(runtime, model,
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
                                       std::span<const vision::ModelFile> models,
                                       std::span<const std::string> pictures,
                                       const BenchmarkOptions& options) {
  require_pictures(pictures);
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const vision::ModelFile& model : models) {
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

Throughput measure_throughput(const vision::OnnxRuntime& runtime, const vision::ModelFile& model,
                              std::span<const std::string> pictures,
                              std::chrono::milliseconds duration, int workers,
                              const BenchmarkOptions& options) {
  require_pictures(pictures);
  Throughput result;
  // Made and warm before the first is timed.
  std::vector<std::unique_ptr<Subject>> subjects(base::worker_count(workers));
  base::share_tasks(subjects.size(), subjects.size(), [&](base::Share& share) {
    while (const auto i = share.take()) {
      subjects[*i] = std::make_unique<Subject>(runtime, model, options, 1);
      subjects[*i]->look_at(pictures.front());
    }
  });
  std::atomic<std::size_t> count{0};
  std::mutex mutex;  // guards the two below
  SteadyClock::time_point first = SteadyClock::time_point::max();
  SteadyClock::time_point last = SteadyClock::time_point::min();
  const std::size_t ran = base::run_side_by_side(subjects.size(), [&](std::size_t worker) {
    const auto start = SteadyClock::now();
    auto now = start;
    for (std::size_t at = worker; now < start + duration; ++at) {
      if (options.stop.stop_requested()) return;
      subjects[worker]->look_at(pictures[at % pictures.size()]);
      ++count;
      now = SteadyClock::now();
    }
    const std::scoped_lock lock(mutex);
    first = std::min(first, start);
    last = std::max(last, now);
  });
  result.workers = static_cast<int>(ran);
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

std::vector<std::string> benchmark_pictures(const fs::path& directory, std::size_t count,
                                            vision::Folders folders) {
  const std::vector<fs::path> files = vision::picture_files(directory, folders);
  const std::size_t chosen = std::clamp<std::size_t>(count, 1, files.size());
  std::vector<std::string> pictures;
  UnreadablePictures unreadable;
  vision::ImageDecoder decoder;
  for (std::size_t i = 0; i < chosen; ++i) {
    const fs::path& file = files[i * files.size() / chosen];
    try {
      pictures.push_back(base::read_file(file, kMaxFileBytes));
      static_cast<void>(decoder.decode(pictures.back(), file.filename().string()));
    } catch (const Error& error) {
      unreadable.note(file, error);
    }
  }
  unreadable.throw_if_any(chosen);
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

// SPDX-License-Identifier: Apache-2.0
// How fast a model is on this machine, with the pictures and the steps of andon-inspect: decoding,
// letterbox, network, boxes. Blocks the caller. Models that are compared take turns picture by
// picture, so that other work on the machine slows them alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/latency.hpp"
#include "vision/detect/detector.hpp"
#include "vision/image/picture_files.hpp"

namespace andon::evaluate {

struct StageLatency {
  base::Latency decode;
  base::Latency preprocess;
  base::Latency inference;
  base::Latency postprocess;
  base::Latency total;
};

struct BenchmarkOptions {
  int threads = 1;                               // within one run of the network
  std::size_t runs = 100;                        // a model, at most
  std::chrono::milliseconds time_limit{20'000};  // for all together; at least one run is done
  std::size_t warm_up_runs = 3;
  std::optional<vision::Size> input_size;  // for models whose input is not fixed
  vision::DetectionOptions detection;
  std::function<void(std::size_t done, std::size_t total)> on_progress;  // calling thread
  std::stop_token stop;                                                  // ends with cancelled
};

struct BenchmarkResult {
  StageLatency latency;
  std::vector<double> total_ms;  // each run, in order: run i of every model is the same picture
};

// `pictures` are the bytes of JPEG or PNG files; they are gone through again and again. Throws
// invalid_argument for a picture that cannot be read or an empty list.
[[nodiscard]] std::vector<BenchmarkResult> benchmark(const vision::OnnxRuntime& runtime,
                                                     std::span<const vision::ModelFile> models,
                                                     std::span<const std::string> pictures,
                                                     const BenchmarkOptions& options = {});

// Pictures per second with one worker a core, each with a session of one thread, for `duration`.
struct Throughput {
  int workers = 0;
  std::size_t pictures = 0;
  double per_second = 0;
};
[[nodiscard]] Throughput measure_throughput(const vision::OnnxRuntime& runtime,
                                            const vision::ModelFile& model,
                                            std::span<const std::string> pictures,
                                            std::chrono::milliseconds duration, int workers = 0,
                                            const BenchmarkOptions& options = {});

// The median of right[i] / left[i]: how much longer the right one takes for the same picture.
[[nodiscard]] double median_ratio(std::span<const double> left, std::span<const double> right);

// The highest resident memory of this process so far, in bytes; 0 where the system does not say.
[[nodiscard]] std::size_t peak_resident_bytes();

// The files' bytes: up to `count`, spread over the directory's pictures. Throws invalid_argument
// that names those which cannot be read.
[[nodiscard]] std::vector<std::string> benchmark_pictures(
    const base::fs::path& directory, std::size_t count,
    vision::Folders folders = vision::Folders::this_one);
// A JPEG of noise, for a model without pictures; always the same.
[[nodiscard]] std::string noise_picture(vision::Size size);

}  // namespace andon::evaluate

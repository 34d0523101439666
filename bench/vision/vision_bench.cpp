// SPDX-License-Identifier: Apache-2.0
// Runs src/vision at the command of compare.py, which starts one such process a contender and
// lets them take turns. One command a line on stdin, one JSON object a line on stdout:
//   load FILE      keep the bytes of a picture
//   clear          forget them
//   describe       what the model is taken for
//   detect         the detections of each picture
//   findings       everything that is found in each picture
//   round N        every picture N times, from bytes to detections; the time, and by stage
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <iostream>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/parallel/parallel.hpp"
#include "vision/detect/detector.hpp"
#include "vision/image/decode.hpp"

namespace andon::vision {
namespace {

namespace json = base::json;
using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::string model;
  int workers = 1;
  bool is_scaled = false;
  DetectorOptions detector;
  std::optional<ModelSpec> spec;  // instead of what is said beside the model
  DetectionOptions detection;
};

int to_int(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (argument == "--workers") {
      options.workers = to_int(value());
    } else if (argument == "--threads") {
      options.detector.session.threads = to_int(value());
    } else if (argument == "--spin") {
      options.detector.session.waiting = SessionOptions::Waiting::spin;
    } else if (argument == "--scaled") {
      options.is_scaled = true;
    } else if (argument == "--confidence") {
      options.detection.confidence = std::stof(value());
    } else if (argument == "--iou") {
      options.detection.iou = std::stof(value());
    } else if (argument == "--max-detections") {
      options.detection.max_detections = static_cast<std::size_t>(to_int(value()));
    } else if (argument == "--provider") {
      options.detector.session.providers.push_back(value());
    } else if (argument == "--spec") {  // what is said beside the model, as JSON
      options.spec = parse_model_spec(base::parse_json(value(), "--spec"));
    } else if (argument == "--classes") {
      options.detection.max_classes = static_cast<std::size_t>(to_int(value()));
    } else if (argument == "--ordinary-graph") {  // never the device graph
      options.detector.graph = DetectorOptions::Graph::ordinary;
    } else if (argument == "--stored-graph") {  // the device graph with ONNX Runtime's convolutions
      options.detector.graph = DetectorOptions::Graph::device_as_stored;
    } else if (argument ==
               "--profile") {  // ONNX Runtime's times of each node, in files of that name
      options.detector.session.profile_prefix = value();
    } else if (argument == "--agnostic") {
      options.detection.suppression = DetectionOptions::Suppression::agnostic;
    } else {
      options.model = argument;
    }
  }
  return options;
}

struct Picture {
  std::string name;
  std::string bytes;
};

struct Stages {
  Milliseconds decode{};
  Milliseconds preprocess{};
  Milliseconds inference{};
  Milliseconds postprocess{};
  std::size_t detections = 0;

  void add(const Stages& other) {
    decode += other.decode;
    preprocess += other.preprocess;
    inference += other.inference;
    postprocess += other.postprocess;
    detections += other.detections;
  }
};

// One thread's part of the work.
struct Worker {
  Detector detector;
  ImageDecoder decoder;
  Stages stages;

  explicit Worker(Detector own) : detector(std::move(own)) {}

  const Detector::Result& look_at(const Picture& picture, const Options& options) {
    const auto start = SteadyClock::now();
    const Image& image = decoder.decode(picture.bytes, picture.name, hint(options));
    const Milliseconds decode = SteadyClock::now() - start;
    const Detector::Result& result = detector.detect(image, options.detection);
    stages.add({decode, result.preprocess, result.inference, result.postprocess,
                result.detections.size()});
    return result;
  }

  [[nodiscard]] DecodeHint hint(const Options& options) const {
    return {.input = options.is_scaled ? detector.description().input : Size{},
            .colours = DecodeHint::Colours::may_be_planes};
  }
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {
    ModelFile model = open_model(options_.model);
    if (options_.spec) model.spec = *options_.spec;
    options_.detector.session.runs = options_.workers;
    workers_.push_back(std::make_unique<Worker>(Detector(runtime_, model, options_.detector)));
    for (int i = 1; i < options_.workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(workers_.front()->detector.sibling()));
    }
  }

  json::object run(std::string_view line) {
    if (line.starts_with("load ")) {
      const std::string path(line.substr(5));
      pictures_.push_back({base::fs::path(path).filename().string(), base::read_file(path)});
      return {{"loaded", pictures_.size()}};
    }
    if (line == "clear") {
      pictures_.clear();
      return {{"loaded", 0}};
    }
    if (line == "describe") return describe();
    if (line == "detect") return detect();
    if (line == "findings") return findings();
    if (line.starts_with("round ")) return round(static_cast<std::size_t>(to_int(line.substr(6))));
    return {{"error", "unknown command"}};
  }

 private:
  json::object describe() const {
    const Detector& detector = workers_.front()->detector;
    const ModelDescription& model = detector.description();
    json::array passed_over;
    for (const std::string& reason : detector.passed_over_providers()) {
      passed_over.emplace_back(reason);
    }
    return {{"head", to_string(model.head)},
            {"task", model.task},
            {"input", json::array{model.input.width, model.input.height}},
            {"labels", model.labels.size()},
            {"provider", model.provider},
            {"deviceGraph", model.has_device_graph},
            {"passedOver", std::move(passed_over)},
            {"onnxruntime", runtime_.version()}};
  }

  json::object detect() {
    json::object result;
    for (const Picture& picture : pictures_) {
      result[picture.name] = boxes_of(workers_.front()->look_at(picture, options_));
    }
    return result;
  }

  static json::array boxes_of(const Findings& findings) {
    json::array boxes;
    for (const Detection& found : findings.detections) {
      const Box& box = found.box;
      boxes.push_back(json::array{box.x, box.y, box.x + box.width, box.y + box.height,
                                  found.confidence, found.class_id});
    }
    return boxes;
  }

  json::object findings() {
    json::object result;
    for (const Picture& picture : pictures_) {
      result[picture.name] = all_of(workers_.front()->look_at(picture, options_));
    }
    return result;
  }

  static json::object all_of(const Findings& findings) {
    json::object all{{"boxes", boxes_of(findings)}};
    json::array masks;
    for (const Mask& mask : findings.masks) {
      masks.push_back(json::array(mask.counts.begin(), mask.counts.end()));
    }
    if (!masks.empty()) all["masks"] = std::move(masks);
    json::array classes;
    for (const ClassScore& it : findings.classes) {
      classes.push_back(json::array{it.class_id, it.confidence});
    }
    if (!classes.empty()) all["classes"] = std::move(classes);
    if (findings.anomaly) {
      const Anomaly& anomaly = *findings.anomaly;
      all["score"] = anomaly.score;
      all["map"] = json::array(anomaly.map.begin(), anomaly.map.end());
    }
    return all;
  }

  // Of all threads: what else the machine does does not count.
  static Milliseconds processor_time() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  json::object round(std::size_t times) {
    const std::size_t count = times * pictures_.size();
    for (auto& worker : workers_) worker->stages = {};
    const auto start = SteadyClock::now();
    const Milliseconds processor_start = processor_time();
    base::share_tasks(count, workers_.size(), [&](base::Share& share) {
      while (const auto i = share.take()) {
        (void)workers_[share.worker()]->look_at(pictures_[*i % pictures_.size()], options_);
      }
    });
    const Milliseconds whole = SteadyClock::now() - start;
    const Stages sum = total();
    const auto each = [&](Milliseconds stage) {
      return stage.count() / static_cast<double>(count);
    };
    return {{"images", count},
            {"seconds", whole.count() / 1000},
            {"cpu_ms", each(processor_time() - processor_start)},
            {"decode_ms", each(sum.decode)},
            {"preprocess_ms", each(sum.preprocess)},
            {"inference_ms", each(sum.inference)},
            {"postprocess_ms", each(sum.postprocess)},
            {"detections", sum.detections}};
  }

  Stages total() const {
    Stages sum;
    for (const auto& worker : workers_) {
      sum.add(worker->stages);
    }
    return sum;
  }

  Options options_;
  OnnxRuntime runtime_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Picture> pictures_;
};

int run(int argc, char** argv) {
  try {
    Bench bench(parse(argc, argv));
    for (std::string line; std::getline(std::cin, line);) {
      fmt::print("{}\n", base::to_text(bench.run(line)));
      std::fflush(stdout);
    }
  } catch (const base::Error& error) {
    fmt::print(stderr, "vision_bench: {}\n", error.message());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace andon::vision

int main(int argc, char** argv) {
  return andon::vision::run(argc, argv);
}

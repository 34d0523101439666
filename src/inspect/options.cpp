// SPDX-License-Identifier: Apache-2.0
#include "inspect/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.hpp"
#include "vision/cores.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
  return name.data();
}

void fill_in(ComponentId& component, const fs::path& artifact, std::string_view fallback) {
  const auto installed = component_of_artifact(artifact);
  if (component.name.empty()) component.name = installed ? installed->name : fallback;
  if (component.version.empty()) component.version = installed ? installed->version : "0.0.0";
}

void check_source(const Options& options) {
  const SourceType type = type_of(options.sources);
  const std::string& source = options.sources.front();
  if (type == SourceType::directory && options.is_once && !fs::is_directory(source)) {
    throw Error(ErrorCode::not_found, "--source is not a directory: " + source);
  }
  if (options.is_once && (type == SourceType::rtsp || type == SourceType::v4l2)) {
    throw Error(ErrorCode::invalid_argument, "--once is for sources that end; a camera does not");
  }
}

}  // namespace

void add_options(CLI::App& app, Options& options) {
  app.add_option("--model", options.model,
                 "The model, an ONNX file; followed while it runs (under an agent the "
                 "configuration may name it)");
  app.add_option("--source", options.sources,
                 "A directory of images (those that are there, and new ones as they come), images, "
                 "a list of images (.txt), a video, rtsp://..., or /dev/videoN");
  app.add_option("--out", options.out, "Write results.jsonl into this directory");
  app.add_flag("--csv", options.has_csv, "Also write OUT/results.csv, a row a detection");
  app.add_flag("--annotate", options.has_annotations,
               "Also write each image with its boxes drawn into OUT/annotated");
  app.add_flag("--once", options.is_once, "End when each image that is there has its result");
  app.add_option("--state", options.state,
                 "Where it is kept what has its result (default: OUT/.state, under an agent "
                 "state/ in the work directory)");
  app.add_option("--confidence", options.confidence, "Publish detections with a score above it")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--iou", options.iou, "Of two boxes that overlap more, keep the better one")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--anomaly-map", options.anomaly_map_side,
                 "Send the map of an anomaly model, at most so many cells a side")
      ->type_name("SIDE")
      ->check(CLI::Range(1, kMaxMapSide));
  app.add_option("--anomaly-scale", options.anomaly_scale,
                 "Values that --annotate draws cold and hot (default: the lowest and highest of "
                 "each map)")
      ->type_name("LOW HIGH")
      ->expected(2);
  app.add_option("--topic", options.topic, "MQTT topic (default: andon/things/THING/results)");
  app.add_option("--thing", options.thing,
                 "Name of this device (default: AWS_IOT_THING_NAME, else the host's name)");
  app.add_option("--component-name", options.component.name, "Name in the results");
  app.add_option("--component-version", options.component.version, "Version in the results");
  app.add_option("--model-component", options.model_component.name, "Model's name in the results");
  app.add_option("--model-version", options.model_component.version,
                 "Model's version in the results");
  app.add_option("--mode", options.load,
                 "throughput: a worker a core; latency: each image as soon as possible, on all "
                 "cores")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Load>{
          {"throughput", Load::throughput}, {"latency", Load::latency}}))
      ->default_str("throughput");
  app.add_option("--workers", options.workers, "Images that are looked at side by side")
      ->check(CLI::Range(1, 256));
  app.add_option("--threads", options.threads, "Threads that the network of a worker runs on")
      ->check(CLI::Range(1, 256));
  app.add_option("--affinity", options.affinity,
                 "Cores that the threads stay on, one each: none (wherever the system puts them), "
                 "auto (those that may be used, in order), or a list such as 0,2-3")
      ->type_name("none|auto|CORES")
      ->capture_default_str();
  app.add_flag("--tune", options.is_tuned,
               "Measure at the first start (two seconds) how many workers and threads suit the "
               "model on this machine, and remember it")
      ->excludes("--workers")
      ->excludes("--threads");
  app.add_option("--raw-format", options.raw_format,
                 "Of files called .raw, a camera's frames: 1280x1024:mono8, 2448x2048:rggb12")
      ->type_name("SIZE:LAYOUT");
  app.add_option("--providers", options.providers,
                 "Execution providers of ONNX Runtime to try before the CPU, in order: CUDA, "
                 "TensorRT, OpenVINO, ...")
      ->delimiter(',');
  app.add_flag("--scaled-decode", options.has_scaled_decoding,
               "Decode JPEGs that are much larger than the network's input at a part of their "
               "size: faster, and boxes and scores differ a little");
  app.add_option("--metrics-address", options.metrics_address,
                 "Serve metrics for Prometheus at http://ADDRESS:PORT/metrics")
      ->type_name("ADDRESS:PORT");
  app.add_flag("--json", options.has_json_summary,
               "Print a summary as a JSON object to the standard output at the end");
  app.add_option("--onnxruntime", options.runtime,
                 "The library, or its directory (default: ONNXRUNTIME_ROOT, then beside this "
                 "program, then the system)");
}

bool has_agent() {
  const char* socket = std::getenv("AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT");
  return socket != nullptr && *socket != '\0';
}

void complete(Options& options, bool has_agent) {
  if (!has_agent && options.model.empty()) {
    throw Error(ErrorCode::invalid_argument, "--model FILE is needed: an ONNX file");
  }
  if (!has_agent && (options.sources.empty() || options.out.empty())) {
    throw Error(ErrorCode::invalid_argument,
                "without an agent, --source DIR and --out DIR are needed");
  }
  if ((options.has_annotations || options.has_csv) && options.out.empty()) {
    throw Error(ErrorCode::invalid_argument, "--annotate and --csv need --out DIR");
  }
  if (options.anomaly_scale.size() == 2 && !(options.anomaly_scale[0] < options.anomaly_scale[1])) {
    throw Error(ErrorCode::invalid_argument, "--anomaly-scale needs LOW before HIGH");
  }
  if (!options.sources.empty()) check_source(options);
  if (options.thing.empty()) {
    const char* thing = std::getenv("AWS_IOT_THING_NAME");
    options.thing = thing != nullptr && *thing != '\0' ? thing : host_name();
  }
  if (options.topic.empty()) options.topic = "andon/things/" + options.thing + "/results";
  if (options.state.empty()) options.state = has_agent ? "state" : options.out / ".state";
  if (options.sources.empty()) {
    options.sources = {fs::absolute("images").string()};
    base::make_directories(options.sources.front());
  }
  std::error_code ignored;
  fill_in(options.component, fs::read_symlink("/proc/self/exe", ignored), "andon-inspect");
}

std::size_t frames_in_flight(SourceKind kind, int workers) {
  const auto count = static_cast<std::size_t>(workers);
  return kind == SourceKind::live ? count : 2 * count;
}

Processor Processor::here() {
  return {vision::allowed_cores(), vision::usable_cores()};
}

namespace {

std::vector<int> choose_cores(const Options& options, const Processor& processor) {
  if (options.affinity == "none") return {};
  if (options.affinity == "auto") {
    // Under a quota the system chooses better: others may sit on the first cores, too.
    const bool has_quota = processor.usable < static_cast<int>(processor.allowed.size());
    return has_quota ? std::vector<int>{} : processor.allowed;
  }
  std::vector<int> cores = vision::parse_core_list(options.affinity);
  vision::check_cores(cores, processor.allowed);
  return cores;
}

}  // namespace

Parallelism choose_parallelism(const Options& options, SourceKind kind,
                               const Processor& processor) {
  Parallelism chosen;
  chosen.cores = choose_cores(options, processor);
  const int cores = chosen.cores.empty() ? processor.usable : static_cast<int>(chosen.cores.size());
  if (options.load == Load::latency) {
    chosen.workers = std::max(1, options.workers);
    chosen.threads = options.threads > 0 ? options.threads : cores;
    // A lone session may spin: nobody else wants the cores between two images.
    if (chosen.workers == 1) chosen.waiting = vision::SessionOptions::Waiting::spin;
  } else {
    chosen.threads = std::max(1, options.threads);
    chosen.workers = options.workers > 0 ? options.workers : std::max(1, cores / chosen.threads);
  }
  chosen.frames_in_flight = frames_in_flight(kind, chosen.workers);
  return chosen;
}

Settings default_settings(const Options& options) {
  Settings settings;
  settings.sources = options.sources;
  settings.model = options.model;
  settings.topic = options.topic;
  settings.confidence = options.confidence;
  settings.iou = options.iou;
  settings.anomaly.map_side = options.anomaly_map_side;
  if (options.anomaly_scale.size() == 2) {
    settings.anomaly.heat = {options.anomaly_scale[0], options.anomaly_scale[1]};
  }
  return settings;
}

}  // namespace andon::inspect

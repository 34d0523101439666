// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "options/choice.hpp"
#include "options/usage_error.hpp"
#include "vision/image/raw.hpp"
#include "wire/syslog/syslog.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

std::string own_name() {
  const std::string name = wire::host_name();
  return name == "-" ? "localhost" : name;  // it has none that is good for logs
}

void fill_in(ComponentId& component, const fs::path& artifact, std::string_view fallback) {
  const auto installed = component_of_artifact(artifact);
  if (component.name.empty()) component.name = installed ? installed->name : fallback;
  if (component.version.empty()) component.version = installed ? installed->version : "0.0.0";
}

SourceType type_of_options(const Options& options) {
  try {
    return type_of(options.sources);
  } catch (const Error& error) {
    throw options::UsageError(error.message());
  }
}

// What is named on the command line and not there is a mistake, not a picture that may come. (A
// list may name such: those get results that say so.)
void require_files(const std::vector<std::string>& sources) {
  std::vector<std::string_view> missing;
  for (const std::string& source : sources) {
    std::error_code ignored;
    if (!fs::exists(source, ignored)) missing.push_back(source);
  }
  if (missing.empty()) return;
  throw Error(ErrorCode::not_found,
              fmt::format("--source {}: there is no such file{}", missing.front(),
                          missing.size() == 1
                              ? ""
                              : fmt::format(", and {} more are not there", missing.size() - 1)));
}

void check_source(const Options& options) {
  const SourceType type = type_of_options(options);
  const std::string& source = options.sources.front();
  if (type == SourceType::images || type == SourceType::video || type == SourceType::list) {
    require_files(options.sources);
  }
  if (options.is_recursive && type != SourceType::directory) {
    throw options::UsageError("--recursive is for a directory, and " + source + " is none");
  }
  if (type == SourceType::directory && options.is_once && !fs::is_directory(source)) {
    throw Error(ErrorCode::not_found, "--source is not a directory: " + source);
  }
  if (options.is_once && is_camera(type)) {
    throw options::UsageError("--once is for sources that end; a camera does not");
  }
}

void add_spread_options(CLI::App& app, SpreadOptions& spread) {
  using Tune = SpreadOptions::Tune;
  app.add_option("--mode", spread.load,
                 "throughput: a worker a core; latency: each image as soon as possible, on all "
                 "cores")
      ->transform(
          options::choice<Load>({{"throughput", Load::throughput}, {"latency", Load::latency}}))
      ->default_str("throughput");
  app.add_option("--workers", spread.workers, "Images that are looked at side by side")
      ->check(CLI::Range(1, 256));
  app.add_option("--threads", spread.threads, "Threads that the network runs on")
      ->check(CLI::Range(1, 256));
  app.add_option("--batch", spread.batch,
                 "Images that one run of the network takes, where so many wait and the model's "
                 "batch is free")
      ->check(CLI::Range(1, 256));
  app.add_option("--affinity", spread.affinity,
                 "Cores that the threads stay on, one each: none (wherever the system puts them), "
                 "auto (each on its own where that was measured to be faster), or a list such as "
                 "0,2-3")
      ->type_name("none|auto|CORES")
      ->capture_default_str();
  app.add_option("--tune", spread.tune,
                 "Measure what is not said of workers, threads and batch, and remember it: auto "
                 "(when there is nothing else to do; not with --once), now (for some seconds, "
                 "before anything else), off")
      ->transform(options::choice<Tune>(
          {{"auto", Tune::automatic}, {"off", Tune::off}, {"now", Tune::now}}))
      ->default_str("auto");
}

}  // namespace

void add_options(CLI::App& app, Options& options) {
  app.add_option("--model", options.model,
                 "The model, an ONNX file; followed while it runs (under an agent the "
                 "configuration may name it)");
  app.add_option("--settings", options.settings,
                 "A JSON file with members of the configuration that an agent would give, such as "
                 "verdict, outputs and trigger (without an agent; read at the start)");
  app.add_option(
      "--source", options.sources,
      "A directory of images (those that are there, and new ones as they come), images, "
      "a list of images (.txt), a video, rtsp://..., /dev/videoN, or aravis://NAME (GigE "
      "Vision, USB3 Vision)");
  app.add_flag("--recursive", options.is_recursive,
               "Of a directory also the images of all directories below it");
  app.add_option("--out", options.out, "Write results.jsonl into this directory");
  app.add_flag("--csv", options.has_csv, "Also write OUT/results.csv, a row a detection");
  app.add_flag("--annotate", options.has_annotations,
               "Also write each image with its boxes drawn into OUT/annotated");
  app.add_flag("--once", options.is_once, "End when each image that is there has its result");
  app.add_option("--state", options.state,
                 "Where it is kept what has its result (default: OUT/.state, under an agent "
                 "state/ in the work directory)");
  app.add_option("--other-model", options.other_model,
                 "Images whose result is of another model: again (look at them with this one), "
                 "keep (they have their result), auto (again; under an agent keep)")
      ->transform(options::choice<OtherModel>({{"auto", OtherModel::automatic},
                                               {"again", OtherModel::again},
                                               {"keep", OtherModel::keep}}))
      ->default_str("auto");
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
  add_spread_options(app, options.spread);
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
    throw options::UsageError("--model FILE is needed: an ONNX file");
  }
  if (has_agent && !options.settings.empty()) {
    throw options::UsageError("--settings is for a program without an agent, which gives them");
  }
  if (!has_agent && (options.sources.empty() || options.out.empty())) {
    throw options::UsageError("without an agent, --source DIR and --out DIR are needed");
  }
  if ((options.has_annotations || options.has_csv) && options.out.empty()) {
    throw options::UsageError("--annotate and --csv need --out DIR");
  }
  if (options.anomaly_scale.size() == 2 && !(options.anomaly_scale[0] < options.anomaly_scale[1])) {
    throw options::UsageError("--anomaly-scale needs LOW before HIGH");
  }
  if (!options.raw_format.empty()) {
    try {
      static_cast<void>(vision::parse_raw_format(options.raw_format));
    } catch (const Error& error) {
      throw options::UsageError("--raw-format: " + error.message());
    }
  }
  if (!options.sources.empty()) check_source(options);
  if (options.thing.empty()) {
    const char* thing = std::getenv("AWS_IOT_THING_NAME");
    options.thing = thing != nullptr && *thing != '\0' ? thing : own_name();
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

Settings default_settings(const Options& options) {
  Settings settings;
  settings.sources = options.sources;
  settings.is_recursive = options.is_recursive;
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

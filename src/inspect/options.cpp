// SPDX-License-Identifier: Apache-2.0
#include "inspect/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>

#include "base/error.hpp"

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

}  // namespace

void add_options(CLI::App& app, Options& options) {
  app.add_option("--model", options.model, "The detector, an ONNX file")->required();
  app.add_option("--source", options.source,
                 "The directory of images: those that are there, and new ones as they come");
  app.add_option("--out", options.out, "Write results.jsonl into this directory");
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
  app.add_option("--topic", options.topic, "MQTT topic (default: andon/things/THING/results)");
  app.add_option("--thing", options.thing,
                 "Name of this device (default: AWS_IOT_THING_NAME, else the host's name)");
  app.add_option("--component-name", options.component.name, "Name in the results");
  app.add_option("--component-version", options.component.version, "Version in the results");
  app.add_option("--model-component", options.model_component.name, "Model's name in the results");
  app.add_option("--model-version", options.model_component.version,
                 "Model's version in the results");
  app.add_option("--threads", options.threads, "Threads that the network runs on")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--onnxruntime", options.runtime,
                 "The library, or its directory (default: ONNXRUNTIME_ROOT, then beside this "
                 "program, then the system)");
}

bool has_agent() {
  const char* socket = std::getenv("AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT");
  return socket != nullptr && *socket != '\0';
}

void complete(Options& options, bool has_agent) {
  if (!has_agent && (options.source.empty() || options.out.empty())) {
    throw Error(ErrorCode::invalid_argument,
                "without an agent, --source DIR and --out DIR are needed");
  }
  if (options.has_annotations && options.out.empty()) {
    throw Error(ErrorCode::invalid_argument, "--annotate needs --out DIR");
  }
  if (options.is_once && !options.source.empty() && !fs::is_directory(options.source)) {
    throw Error(ErrorCode::not_found, "--source is not a directory: " + options.source.string());
  }
  if (options.thing.empty()) {
    const char* thing = std::getenv("AWS_IOT_THING_NAME");
    options.thing = thing != nullptr && *thing != '\0' ? thing : host_name();
  }
  if (options.topic.empty()) options.topic = "andon/things/" + options.thing + "/results";
  if (options.state.empty()) options.state = has_agent ? "state" : options.out / ".state";
  if (options.source.empty()) {
    options.source = fs::absolute("images");
    base::make_directories(options.source);
  }
  std::error_code ignored;
  fill_in(options.component, fs::read_symlink("/proc/self/exe", ignored), "andon-inspect");
  fill_in(options.model_component, fs::absolute(options.model), options.model.stem().string());
}

Settings default_settings(const Options& options) {
  Settings settings;
  settings.image_directory = options.source;
  settings.topic = options.topic;
  settings.confidence = options.confidence;
  settings.iou = options.iou;
  return settings;
}

}  // namespace andon::inspect

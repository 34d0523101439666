// SPDX-License-Identifier: Apache-2.0
#include "cli/demo.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "cli/demo_steps.hpp"
#include "vision/decode.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

// The images that must have a result: what andon-inspect will take from the directory.
std::vector<std::string> list_images(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw Error(ErrorCode::not_found, "--images " + directory.string() + " is not a directory");
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file() && vision::is_image_name(entry.path().string())) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(names);
  if (names.empty()) {
    throw Error(ErrorCode::not_found,
                "--images " + directory.string() + " holds no image (.jpg, .jpeg, .png)");
  }
  return names;
}

// The same network as another version: its metadata says so, so its bytes and digest are others.
// Appending a field to a protobuf message adds it (ONNX: ModelProto.metadata_props is field 14).
fs::path next_model_version(const DemoContext& demo) {
  const auto field = [](int number, const std::string& content) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) +
           content;
  };
  const std::string entry = field(1, "andon_demo") + field(2, "1.0.1");
  const fs::path path = demo.state / "model-1.0.1.onnx";
  base::write_file_atomically(path,
                              base::read_file(demo.options.model, 2ULL << 30U) + field(14, entry));
  return path;
}

void print_aws_command(DemoContext& demo, const std::string& deployment_id) {
  demo.terminal.detail("Ask about it with the AWS CLI:");
  demo.terminal.detail(
      fmt::format("  AWS_SHARED_CREDENTIALS_FILE={} aws greengrassv2 get-deployment \\",
                  (fs::absolute(demo.options.out) / "aws-credentials").string()));
  demo.terminal.detail(
      fmt::format("      --deployment-id {} --region us-east-1 --endpoint-url http://127.0.0.1:{}",
                  deployment_id, demo.ports.api));
}

void wait_for_results(DemoContext& demo, const std::vector<std::string>& images) {
  const auto missing = [&] {
    return std::ranges::count_if(images, [&](const auto& name) { return !demo.results.has(name); });
  };
  try {
    demo.wait_until("a result for every image", [&] { return missing() == 0; });
  } catch (Error& error) {
    if (error.code() != ErrorCode::deadline_exceeded) throw;
    throw Error(error).with_context(
        fmt::format("{} of {} images have no result", missing(), images.size()));
  }
}

void ship_model_update(DemoContext& demo, const Deployed& first) {
  demo.terminal.step("Ship model 1.0.1 alone: the same deployment, the model's version changed");
  register_model(demo, next_model_version(demo), "1.0.1");
  create_model_component(demo, "1.0.1");
  const Deployed second = deploy(demo, "1.0.1");
  demo.terminal.step(fmt::format("COMPLETED in {} ms; the device fetched {} (first time: {})",
                                 second.took.count(), format_bytes(second.bytes_fetched),
                                 format_bytes(first.bytes_fetched)));
}

void drive(DemoContext& demo, const std::vector<std::string>& images) {
  Terminal& terminal = demo.terminal;
  terminal.step("Start andon-server (SQLite, object directory, its own CA, mosquitto)");
  start_server(demo);
  terminal.step(
      fmt::format("Provision the device {} with a one-time token; start andon-edge", kDemoThing));
  provision_device(demo);
  terminal.step("Register the model " + demo.options.model.filename().string());
  terminal.detail("approved: " + register_model(demo, demo.options.model, "1.0.0"));
  terminal.step("Create two components: the model, and the program that runs it");
  create_model_component(demo, "1.0.0");
  create_inspect_component(demo);
  subscribe_to_results(demo);

  terminal.step("Deploy both to the device");
  const Deployed first = deploy(demo, "1.0.0");
  terminal.step(fmt::format("COMPLETED in {} ms; the device fetched and verified {}",
                            first.took.count(), format_bytes(first.bytes_fetched)));
  print_aws_command(demo, first.deployment_id);

  terminal.step(fmt::format("Detections in {} images, as they arrive over MQTT", images.size()));
  wait_for_results(demo, images);
  terminal.step(fmt::format(
      "Every image has its result: {} with detections, {} without, {} that could not be read",
      demo.results.with_detections(),
      demo.results.count() - demo.results.with_detections() - demo.results.failed(),
      demo.results.failed()));
  terminal.detail("results: " + (demo.options.out / "results.jsonl").string() +
                  "   pictures: " + (demo.options.out / "annotated").string());
  ship_model_update(demo, first);
}

}  // namespace

int run_demo(const DemoOptions& given) {
  DemoOptions options = given;
  if (options.images.empty()) options.images = options.example / "images";
  if (options.model.empty()) options.model = options.example / "model" / "model.onnx";
  const std::vector<std::string> images = list_images(options.images);
  if (!fs::is_regular_file(options.model)) {
    throw Error(ErrorCode::not_found, "--model " + options.model.string() + " is not a file");
  }
  note_interrupts();
  DemoContext demo(options);
  try {
    drive(demo, images);
    if (options.mode == DemoMode::until_interrupted) {
      demo.terminal.step("Watching " + options.images.string() +
                         " for new images; Ctrl-C ends the demo");
      while (true) demo.idle(std::chrono::milliseconds{500});
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled) throw;
    demo.terminal.step("Interrupted: stopping the device and the server");
    return options.mode == DemoMode::once ? base::exit_code(ErrorCode::cancelled) : 0;
  }
  return 0;
}

void add_demo_command(CLI::App& app, std::function<int()>& selected) {
  auto* command = app.add_subcommand(
      "demo", "Ship a model to a simulated device on this machine and show its detections");
  const auto options = std::make_shared<DemoOptions>();
  options->programs = fs::read_symlink("/proc/self/exe").parent_path();
  options->example = options->programs.parent_path() / "share" / "andon" / "metal-tags";
  command->add_option("--images", options->images,
                      "Directory with the images to inspect (default: the example's)");
  command->add_option("--model", options->model,
                      "The detector, an ONNX file (default: the example's)");
  command
      ->add_option("--example", options->example,
                   "Directory of the example: recipes/, images/ and model/model.onnx")
      ->capture_default_str();
  command->add_option("--out", options->out, "Where results.jsonl and the drawn images go")
      ->capture_default_str();
  command->add_option("--confidence", options->confidence, "Detections below are dropped")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option_function<int>(
      "--timeout", [options](int seconds) { options->timeout = std::chrono::seconds{seconds}; },
      "Seconds until the demo gives up (300)");
  command->add_flag_callback(
      "--once", [options] { options->mode = DemoMode::once; },
      "End with exit code 0 when every image has its result");
  command->callback([options, &selected] { selected = [options] { return run_demo(*options); }; });
}

}  // namespace andon::cli

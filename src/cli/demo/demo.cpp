// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/demo.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "cli/demo/by_hand.hpp"
#include "cli/demo/pipeline.hpp"
#include "cli/demo/processes.hpp"
#include "cli/demo/steps.hpp"
#include "cli/demo/train.hpp"
#include "vision/image/decode.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::chrono::seconds kBrowserTimeout{10};  // until it is begun

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

// The recipes come from there, whatever else is given.
void require_example(const fs::path& example) {
  for (const fs::path& file :
       {fs::path("recipes") / (std::string(kInspectComponent) + ".yaml"),
        fs::path("recipes") / (std::string(kGoldenComponent) + ".yaml"),
        fs::path("workflows") / "template.yaml", fs::path("annotations.json")}) {
    if (fs::is_regular_file(example / file)) continue;
    throw Error(
        ErrorCode::not_found,
        fmt::format("the example is not there: '{}' is not a file; say with --example where "
                    "andon's examples/metal-tags is, or run ./dev demo in its sources",
                    (example / file).string()));
  }
}

// What lies in <out>/state is removed before it could be read.
void require_outside_state(const char* option, const fs::path& path, const fs::path& out) {
  const fs::path state = fs::weakly_canonical(out / "state");
  const fs::path given = fs::weakly_canonical(path);
  if (std::ranges::mismatch(state, given).in1 != state.end()) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} '{}' lies in '{}', which each demo makes anew: copy it elsewhere",
                          option, path.string(), state.string()));
}

// The same network as another version: its metadata says so, so its bytes and digest are others.
// Appending a field to a protobuf message adds it (ONNX: ModelProto.metadata_props is field 14).
ModelParts next_model_version(const DemoContext& demo, ModelParts model) {
  const auto field = [](int number, const std::string& content) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) +
           content;
  };
  const std::string entry = field(1, "andon_demo") + field(2, "1.0.1");
  const fs::path path = demo.state / "model-1.0.1.onnx";
  base::write_file_atomically(
      path, base::read_file(model.front().path, vision::kMaxModelBytes) + field(14, entry));
  model.front().path = path;
  return model;
}

void print_commands(DemoContext& demo, const Shipped& shipped) {
  demo.terminal.detail("Ask about it with the AWS CLI:");
  demo.terminal.detail(
      fmt::format("  AWS_SHARED_CREDENTIALS_FILE={} aws greengrassv2 get-deployment \\",
                  (fs::absolute(demo.options.out) / "aws-credentials").string()));
  demo.terminal.detail(
      fmt::format("      --deployment-id {} --region us-east-1 --endpoint-url http://127.0.0.1:{}",
                  shipped.deployment_id, demo.ports.api));
  if (shipped.execution.empty()) return;
  demo.terminal.detail("See the state machine drawn:");
  demo.terminal.detail(fmt::format("  andon workflow graph --data {} --execution {}",
                                   (demo.state / "server").string(), shipped.execution));
}

// By what the desktop opens links with; it lives on by itself.
void open_in_browser(DemoContext& demo, const std::string& link) {
  const char* const chosen = std::getenv("BROWSER");  // NOLINT(concurrency-mt-unsafe)
  const std::string opener = chosen != nullptr && *chosen != '\0' ? chosen : "xdg-open";
  try {
    (void)run_to_end({"setsid", "--fork", opener, link}, demo.state / "browser.log",
                     kBrowserTimeout);
  } catch (const Error& error) {
    demo.terminal.detail("No browser could be opened: " + error.message());
  }
}

// A link for each start: it is good once.
void show_console(DemoContext& demo) {
  const base::json::value link = demo.retry("cannot make a link for the console", [&] {
    return demo.aws->rest("andon", "POST", "/andon/v1/console-links", base::json::object());
  });
  demo.terminal.step(
      "See all of it in a browser; this link signs you in, once, within a quarter "
      "of an hour:");
  const std::string address = fmt::format("http://127.0.0.1:{}{}", demo.ports.api,
                                          base::JsonReader(link, "link").string("path"));
  demo.terminal.detail("  " + address);
  demo.terminal.detail("Another one: andon console --data " + (demo.state / "server").string());
  if (demo.options.open) open_in_browser(demo, address);
}

void wait_for_results(DemoContext& demo, const std::vector<std::string>& images) {
  const auto missing = [&] {
    return std::ranges::count_if(images, [&](const auto& name) { return !demo.results.has(name); });
  };
  constexpr std::chrono::seconds kSilence{3};
  auto heard = std::chrono::steady_clock::now();
  auto left = missing();
  const auto have_all = [&] {
    const auto now = std::chrono::steady_clock::now();
    if (missing() != left) {
      left = missing();
      heard = now;
    } else if (now - heard > kSilence) {
      heard = now;
      take_missed_results(demo);
    }
    return left == 0;
  };
  try {
    demo.wait_until("a result for every image", have_all);
  } catch (Error& error) {
    if (error.code() != ErrorCode::deadline_exceeded) throw;
    throw Error(error).with_context(
        fmt::format("{} of {} images have no result", missing(), images.size()));
  }
}

// How models are shipped on this machine.
struct Pipeline {
  std::string machine;  // its ARN
  bool has_functions = true;
};

// One approval, and all that follows from it.
Shipped ship(DemoContext& demo, const Pipeline& pipeline, const ModelParts& model,
             const std::string& version) {
  const std::string report = put_report(demo, model, version);
  const std::string package = register_model(demo, model, version, report);
  const std::string name = package.substr(package.find('/') + 1);
  if (!pipeline.has_functions) {
    demo.terminal.step(fmt::format("Approve {} and deploy it, by hand and without QA", name));
    return ship_by_hand(demo, model, version, package);
  }
  demo.terminal.step(fmt::format(
      "Approve {}: from here on the state machine ships it, and detections arrive over MQTT",
      name));
  const Shipped shipped = approve_and_follow(demo, pipeline.machine, package);
  demo.terminal.detail("QA: " + shipped.verdict);
  return shipped;
}

Pipeline make_pipeline(DemoContext& demo) {
  Pipeline pipeline{.machine = apply_pipeline(demo)};
  join_qa(demo);
  if (const auto reason = why_no_functions(demo)) {
    demo.terminal.warning("the pipeline's functions cannot run on this machine: " + *reason);
    pipeline.has_functions = false;
  }
  return pipeline;
}

// Server, devices, components, and the pipeline that ships what is approved.
Pipeline set_up(DemoContext& demo) {
  Terminal& terminal = demo.terminal;
  terminal.step("Start andon-server (SQLite, object directory, its own CA, mosquitto)");
  start_server(demo);
  terminal.step(
      fmt::format("Provision the devices {} and {} with one-time tokens; start andon-edge",
                  kQaThing, kDemoThing));
  provision_device(demo, kQaThing, "qa");
  provision_device(demo, kDemoThing, "device");
  terminal.step("Create two components: the program that runs models, and golden pictures for QA");
  create_component_of_file(demo, kInspectComponent, demo.options.programs / "andon-inspect");
  create_golden_component(demo);
  terminal.step("Apply the pipeline: a state machine, its functions, and the rule that starts it");
  Pipeline pipeline = make_pipeline(demo);
  subscribe_to_results(demo);
  return pipeline;
}

void show_results(DemoContext& demo, const std::vector<std::string>& images) {
  wait_for_results(demo, images);
  demo.terminal.step(fmt::format(
      "Every image has its result: {} with detections, {} without, {} that could not be read",
      demo.results.with_detections(),
      demo.results.count() - demo.results.with_detections() - demo.results.failed(),
      demo.results.failed()));
  demo.terminal.detail("results: " + (demo.options.out / "results.jsonl").string() +
                       "   pictures: " + (demo.options.out / "annotated").string());
}

void drive(DemoContext& demo, const ModelParts& model, const std::vector<std::string>& images) {
  Terminal& terminal = demo.terminal;
  const Pipeline pipeline = set_up(demo);
  terminal.step("Register the model " + demo.options.model.filename().string());
  const Shipped first = ship(demo, pipeline, model, "1.0.0");
  terminal.step(fmt::format("COMPLETED in {} ms; the device fetched and verified {}",
                            first.took.count(), format_bytes(first.bytes_fetched)));
  print_commands(demo, first);

  show_results(demo, images);

  terminal.step("Register the next model: the same way, and only the model moves");
  const Shipped second = ship(demo, pipeline, next_model_version(demo, model), "1.0.1");
  terminal.step(fmt::format("COMPLETED in {} ms; the device fetched {} (first time: {})",
                            second.took.count(), format_bytes(second.bytes_fetched),
                            format_bytes(first.bytes_fetched)));
}

void drive_training(DemoContext& demo, const std::vector<std::string>& images) {
  demo.terminal.step(fmt::format("Draw {} pictures to learn from, and commit the trainer",
                                 demo.options.train_pictures));
  prepare_training(demo);
  demo.job_paths = shown_to_jobs(demo);
  if (!set_up(demo).has_functions) {
    throw Error(ErrorCode::failed_precondition,
                "the pipeline that ships needs functions, which do not run on this machine");
  }
  const Shipped shipped = train_and_ship(demo);
  demo.terminal.detail("QA: " + shipped.verdict);
  demo.terminal.step(fmt::format("COMPLETED in {} ms; the device fetched and verified {}",
                                 shipped.took.count(), format_bytes(shipped.bytes_fetched)));
  print_commands(demo, shipped);
  show_results(demo, images);
}

}  // namespace

int run_demo(const DemoOptions& given) {
  DemoOptions options = given;
  require_example(options.example);
  if (options.images.empty()) options.images = options.example / "images";
  if (options.model.empty()) options.model = options.example / "model" / "model.onnx";
  const std::vector<std::string> images = list_images(options.images);
  if (options.train) require_training(options);
  if (!fs::is_regular_file(options.model)) {
    throw Error(ErrorCode::not_found, "--model " + options.model.string() + " is not a file");
  }
  require_outside_state("--images", options.images, options.out);
  require_outside_state("--model", options.model, options.out);
  require_outside_state("--example", options.example, options.out);
  const ModelParts model = model_parts(options.model);
  note_interrupts();
  DemoContext demo(options);
  try {
    if (options.train) {
      drive_training(demo, images);
    } else {
      drive(demo, model, images);
    }
    if (options.mode == DemoMode::until_interrupted) {
      show_console(demo);
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
                   "Directory of the example: recipes/, workflows/, images/ with annotations.json, "
                   "and model/model.onnx")
      ->capture_default_str();
  command->add_option("--out", options->out, "Where results.jsonl and the drawn images go")
      ->capture_default_str();
  command->add_option("--confidence", options->confidence, "Detections below are dropped")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option_function<int>(
          "--timeout", [options](int seconds) { options->timeout = std::chrono::seconds{seconds}; },
          "Seconds until the demo gives up (300; with --train 1800)")
      ->check(CLI::Range(1, 7 * 24 * 3600));
  command->add_flag_callback(
      "--once", [options] { options->mode = DemoMode::once; },
      "End with exit code 0 when every image has its result");
  command->add_flag("--open", options->open,
                    "Show the console in a browser ($BROWSER, or xdg-open), signed in");
  command->add_flag("--train", options->train,
                    "Train the model first: the whole pipeline, from a commit to detections");
  command
      ->add_option("--trainer", options->trainer,
                   "What --train commits and trains from: training/ of andon's sources, with its "
                   ".venv")
      ->type_name("DIR");
  command
      ->add_option(
          "--train-command", options->train_command,
          "The training, in a checkout of --trainer; any command that leaves model.onnx in "
          "$SM_MODEL_DIR")
      ->capture_default_str();
  command->add_option("--train-pictures", options->train_pictures, "Pictures to learn from")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option("--min-map", options->min_map,
                   "Of --train: a model with a lower mAP50-95 is not registered")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->callback([options, command, &selected] {
    constexpr std::chrono::seconds kWithTraining{1800};
    if (options->train && command->count("--timeout") == 0) options->timeout = kWithTraining;
    selected = [options] { return run_demo(*options); };
  });
}

}  // namespace andon::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/json/json_reader.hpp"
#include "cli/demo/follow.hpp"
#include "cli/demo/steps.hpp"
#include "cli/registry/lineage.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
namespace json = base::json;
namespace fs = base::fs;

constexpr const char* kGroup = "metal-tags";
constexpr const char* kDataSet = "datasets/metal-tags.tar";
constexpr std::chrono::seconds kPreparing{300};
constexpr int kPicturesToChooseBy = 24;
// Of its own seeds: the example's pictures have another one.
constexpr const char* kSeedToLearn = "1";
constexpr const char* kSeedToChoose = "2";

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

fs::path generator(const DemoOptions& options) {
  return options.programs / "generate-metal-tags";
}

fs::path repository(const DemoContext& demo) {
  return fs::absolute(demo.state) / "line.git";
}

fs::path runtime_folder() {
  return fs::canonical(vision::OnnxRuntime(fs::path()).path()).parent_path();
}

void run(const DemoContext& demo, const char* log, const std::vector<std::string>& command) {
  (void)run_to_end(command, demo.state / log, kPreparing);
}

// Without what lies there beside the sources: a virtual environment, caches.
void copy_sources(const fs::path& from, const fs::path& to) {
  base::make_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename();
    if (name.starts_with('.') || name == "__pycache__" || name.ends_with(".egg-info")) continue;
    if (entry.is_directory()) {
      copy_sources(entry.path(), to / name);
    } else if (entry.is_regular_file()) {
      fs::copy_file(entry.path(), to / name);
    }
  }
}

void make_repository(DemoContext& demo) {
  const fs::path work = demo.state / "line";
  copy_sources(demo.options.trainer, work);
  const auto git = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command{
        "git", "-C", work, "-c", "user.name=andon demo", "-c", "user.email=demo@localhost"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    run(demo, "git.log", command);
  };
  git({"init", "--quiet", "--initial-branch", "main"});
  git({"add", "--all"});
  git({"commit", "--quiet", "--no-gpg-sign", "-m", "The trainer"});
  run(demo, "git.log", {"git", "clone", "--quiet", "--bare", work, repository(demo)});
}

void make_data_set(DemoContext& demo) {
  const fs::path data = demo.state / "data-set";
  base::make_directories(data);
  const auto draw = [&](const char* part, int count, const char* seed) {
    run(demo, "generate.log",
        {generator(demo.options), "--out", data / part, "--count", std::to_string(count), "--seed",
         seed, "--difficulty", "easy", "--width", "320", "--height", "240"});
  };
  draw("train", demo.options.train_pictures, kSeedToLearn);
  draw("val", kPicturesToChooseBy, kSeedToChoose);
  base::make_directories(data / "test");
  fs::copy(demo.options.example / "images", data / "test" / "images", fs::copy_options::recursive);
  fs::copy(demo.options.example / "annotations.json", data / "test" / "annotations.json");
  run(demo, "tar.log",
      {"tar", "--create", "--file", demo.state / "data-set.tar", "--directory", data, "train",
       "val", "test"});
}

json::value describe(DemoContext& demo, const std::string& package) {
  return demo.retry("cannot describe the model", [&] {
    return demo.aws->sagemaker("DescribeModelPackage", {{"ModelPackageName", package}});
  });
}

// The newest package, as soon as the execution asks about it.
void approve_when_asked(DemoContext& demo, bool& is_approved) {
  if (is_approved) return;
  const auto packages =
      demo.retry("cannot list the models", [&] { return model_packages(*demo.aws, kGroup); });
  const ModelPackage& newest = packages.front();
  if (!waiting_execution(describe(demo, newest.arn))) return;
  demo.terminal.step(
      fmt::format("It waits for a person: andon model approve {0}", newest.model.text()));
  demo.retry("cannot approve the model",
             [&] { set_approval(*demo.aws, newest.arn, "Approved", "by andon demo"); });
  is_approved = true;
}

}  // namespace

void require_training(const DemoOptions& options) {
  if (!fs::is_regular_file(generator(options))) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("'{}' is not there, which draws the pictures to learn from: it is built "
                    "from the sources, as ./dev demo --train does",
                    generator(options).string()));
  }
  if (options.trainer.empty() || !fs::is_directory(options.trainer)) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("--trainer '{}' is not a directory: the trainer is training/ of andon's "
                    "sources",
                    options.trainer.string()));
  }
  if (is_below(fs::weakly_canonical(fs::absolute(options.out)), "/tmp")) {
    throw Error(ErrorCode::invalid_argument,
                "--out is below /tmp, and jobs have a /tmp of their own: choose another place");
  }
}

std::vector<fs::path> shown_to_jobs(const DemoContext& demo) {
  std::vector<fs::path> shown{fs::canonical(demo.options.programs), runtime_folder(),
                              fs::canonical(demo.options.trainer), repository(demo)};
  std::erase_if(shown, [](const fs::path& path) { return is_below(path, "/usr"); });
  return shown;
}

void prepare_training(DemoContext& demo) {
  make_repository(demo);
  make_data_set(demo);
}

Shipped train_and_ship(DemoContext& demo) {
  const std::string machine =
      apply_template(demo, "training", "training.template.yaml",
                     {{"Repository", repository(demo)},
                      {"Trainer", fs::canonical(demo.options.trainer) / ".venv"},
                      {"Andon", fs::canonical(demo.options.programs) / "andon"},
                      {"OnnxRuntime", runtime_folder()},
                      {"MinMap", fmt::format("{}", demo.options.min_map)},
                      {"MaxMapDrop", "0.05"},
                      {"Approval", "person"}});
  demo.retry("cannot upload the data set", [&] {
    upload(*demo.aws, demo.terminal, kModelBucket, kDataSet, demo.state / "data-set.tar");
  });
  const json::object input{{"Reason", "andon demo"}, {"TrainCommand", demo.options.train_command}};
  const json::value started = demo.retry("cannot start the state machine", [&] {
    return demo.aws->states(
        "StartExecution",
        {{"stateMachineArn", machine}, {"name", "demo"}, {"input", base::to_text(input)}});
  });
  const std::string execution = JsonReader(started, "StartExecution").string("executionArn");
  demo.terminal.step(
      "Train, measure, register, make small, approve, ship: execution train-and-ship");
  bool is_approved = false;
  const json::value told = follow_execution(demo, execution, [&](const std::string& task) {
    if (task == "WaitForApproval") approve_when_asked(demo, is_approved);
  });
  const json::value output = output_of(told, "the pipeline shipped nothing");
  const JsonReader result(output, "the execution's output");
  Shipped shipped{
      .execution = result.string("Deployment"), .deployment_id = {}, .verdict = {}, .took = {}};
  const json::value deployed = demo.retry("cannot ask about the deployment", [&] {
    return demo.aws->states("DescribeExecution", {{"executionArn", shipped.execution}});
  });
  const json::value end = output_of(deployed, "the model was not deployed");
  shipped.deployment_id = JsonReader(end, "output").string("DeploymentId");
  shipped.verdict = JsonReader(end, "output").child("Verdict").string("Reason");
  measure(demo, shipped);
  const std::string package = result.string("ModelPackageArn");
  demo.terminal.step("Where the model comes from: andon model show " + std::string(kGroup) + "@1");
  std::string lineage = to_text(lineage_of(describe(demo, package)));
  for (std::size_t at = 0; at < lineage.size();) {
    const std::size_t line_end = lineage.find('\n', at);
    demo.terminal.detail(lineage.substr(at, line_end - at));
    at = line_end + 1;
  }
  return shipped;
}

}  // namespace andon::cli

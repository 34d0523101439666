// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/pipeline.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"
#include "cli/demo/follow.hpp"
#include "cli/demo/steps.hpp"
#include "cli/function/package.hpp"
#include "cli/registry/report_files.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
namespace json = base::json;

constexpr std::chrono::seconds kEvaluation{120};
constexpr std::chrono::seconds kApplying{120};

base::fs::path andon(const DemoContext& demo) {
  return demo.options.programs / "andon";
}

double seconds_of(const json::value& value) {
  return value.to_number<double>();
}

std::string member(const json::value& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

// Ended executions of earlier approvals are told apart by their input.
std::string find_execution(DemoContext& demo, const std::string& machine,
                           const std::string& package, std::set<std::string>& others) {
  const json::value page =
      demo.aws->states("ListExecutions", {{"stateMachineArn", machine}, {"maxResults", 20}});
  for (const JsonReader& one : JsonReader(page, "ListExecutions").children("executions")) {
    std::string arn = one.string("executionArn");
    if (others.contains(arn)) continue;
    const json::value told = demo.aws->states("DescribeExecution", {{"executionArn", arn}});
    if (member(told, "input").find("\"" + package + "\"") != std::string::npos) return arn;
    others.insert(std::move(arn));
  }
  return "";
}

// By the server's clock, from CreateDeployment to the device's word that it is done.
std::chrono::milliseconds time_of(DemoContext& demo, const std::string& deployment) {
  const json::value answer =
      demo.aws->rest("greengrass", "GET",
                     fmt::format("/greengrass/v2/coreDevices/{}/effectiveDeployments", kDemoThing));
  for (const json::value& one : answer.at("effectiveDeployments").as_array()) {
    if (member(one, "deploymentId") != deployment) continue;
    const double took =
        seconds_of(one.at("modifiedTimestamp")) - seconds_of(one.at("creationTimestamp"));
    return std::chrono::milliseconds(std::llround(took * 1000));
  }
  throw Error(ErrorCode::not_found, "the device does not know deployment " + deployment);
}

}  // namespace

std::string put_report(DemoContext& demo, const ModelParts& model, const std::string& version) {
  const base::fs::path report = demo.state / ("report-" + version);
  try {
    run_to_end(
        {andon(demo), "model", "eval", model.front().path, "--images",
         demo.options.example / "images", "--labels", demo.options.example / "annotations.json",
         "--confidence", std::to_string(demo.options.confidence), "--report", report},
        demo.state / "eval.log", kEvaluation);
  } catch (const Error&) {
    demo.terminal.detail(
        "no report: the golden pictures' labels are not this model's, so QA asks only that it "
        "looks at each");
    return "";
  }
  const std::vector<ReportFile> pictures = pictures_of_report(report / "report.json");
  return demo.retry("cannot upload the report", [&] {
    return upload_report(*demo.aws, demo.terminal, fmt::format("reports/{}/", version),
                         report / "report.json", pictures);
  });
}

void create_golden_component(DemoContext& demo) {
  const base::fs::path folder = demo.state / "golden";
  base::make_directories(folder);
  base::fs::copy(demo.options.example / "images", folder / "images",
                 base::fs::copy_options::recursive);
  base::fs::copy(demo.options.example / "annotations.json", folder / "annotations.json");
  const base::fs::path archive = demo.state / "golden.zip";
  base::write_file_atomically(archive, read_package(folder));
  create_component_of_file(demo, kGoldenComponent, archive);
}

std::string apply_template(DemoContext& demo, const std::string& stack, const char* file,
                           const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::vector<std::string> command{
      andon(demo), "apply", "-f",     demo.options.example / "workflows" / file,
      "--stack",   stack,   "--data", demo.state / "server",
      "--json"};
  for (const auto& [name, value] : parameters) {
    command.emplace_back("--parameter");
    command.push_back(fmt::format("{}={}", name, value));
  }
  const std::string outputs = demo.retry("cannot apply " + std::string(file), [&] {
    return run_to_end(command, demo.state / "apply.log", kApplying);
  });
  const json::value applied = base::parse_json(outputs, "andon apply");
  return JsonReader(applied, "andon apply")
      .children("stacks")
      .at(0)
      .child("outputs")
      .string("StateMachineArn");
}

std::string apply_pipeline(DemoContext& demo) {
  const std::string limit = std::to_string(demo.options.timeout.count());
  return apply_template(demo, "edge-deployment", "template.yaml",
                        {{"ProductionThing", kDemoThing},
                         {"QaGroup", kQaGroup},
                         {"ImageDirectory", base::fs::absolute(demo.options.images)},
                         {"Confidence", std::to_string(demo.options.confidence)},
                         {"QaSeconds", limit},
                         {"ProductionSeconds", limit},
                         {"PollSeconds", "1"}});
}

void measure(DemoContext& demo, Shipped& shipped) {
  shipped.took =
      demo.retry("cannot ask the device", [&] { return time_of(demo, shipped.deployment_id); });
  shipped.bytes_fetched = bytes_fetched(demo);
}

Shipped approve_and_follow(DemoContext& demo, const std::string& machine,
                           const std::string& package) {
  demo.retry("cannot approve the model",
             [&] { set_approval(*demo.aws, package, "Approved", "by andon demo"); });
  Shipped shipped;
  std::set<std::string> others;
  demo.wait_until("the execution that the approval starts", [&] {
    shipped.execution = demo.retry("the list of executions",
                                   [&] { return find_execution(demo, machine, package, others); });
    return !shipped.execution.empty();
  });
  demo.terminal.detail("execution " + shipped.execution.substr(shipped.execution.rfind(':') + 1));
  const json::value output = output_of(follow_execution(demo, shipped.execution, {}),
                                       "the pipeline did not ship the model");
  shipped.deployment_id = member(output, "DeploymentId");
  shipped.verdict = member(output.at("Verdict"), "Reason");
  measure(demo, shipped);
  return shipped;
}

}  // namespace andon::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/deployment/deployment_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "cli/component/components.hpp"
#include "cli/deployment/deployments.hpp"
#include "cli/deployment/plan.hpp"
#include "cli/registry/registry.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "fleet/names/reason.hpp"
#include "options/usage_error.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostFileBytes = 4U << 20U;

struct Options {
  ServerChoice server;
  std::string target;
  std::string id;
  std::string name;
  std::string model;
  std::string images;
  base::fs::path file;
  std::vector<std::string> components;
  std::vector<std::string> removed;
  std::vector<std::string> settings;
  int limit_s = 600;
  bool only = false;
  bool all = false;
  bool wait = false;
  bool dry_run = false;
  bool as_json = false;
};

// The components of the newest deployment that was not canceled; none where there was none.
json::object running_components(ServerClient& server, const std::string& target_arn) {
  for (const json::value& one : deployments_of(server, target_arn)) {
    if (text_of(one, "deploymentStatus") == "CANCELED") continue;
    const json::object deployment = read_deployment(server, text_of(one, "deploymentId"));
    const json::value* const components = deployment.if_contains("components");
    return components != nullptr && components->is_object() ? components->get_object()
                                                            : json::object();
  }
  return {};
}

void put_model(ServerClient& server, const Options& options, DeploymentPlan& plan) {
  if (options.model.empty()) return;
  const ModelPackage package = find_model_package(*server, parse_model_reference(options.model));
  if (package.approval != "Approved") {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("{0} is not approved ({1}): andon model approve {0}",
                            package.model.text(), package.approval));
  }
  const ComponentVersion model =
      find_component(server, package.model.component() + "@" + package.model.component_version());
  plan.put(model.name, model.version);
  const std::string inspect = package.model.name + ".Inspect";
  if (plan.has(inspect)) return;
  try {
    plan.put(inspect, find_component(server, inspect).version);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;  // another program may use the model
  }
}

DeploymentPlan plan_of(ServerClient& server, const Options& options,
                       const std::string& target_arn) {
  DeploymentPlan plan(options.only ? json::object() : running_components(server, target_arn));
  if (!options.file.empty()) {
    const json::value file = recipe::parse_json_or_yaml(
        base::read_file(options.file, kMostFileBytes), options.file.string());
    plan.put_all(base::JsonReader(file, options.file.string()).child("components").object());
  }
  for (const std::string& text : options.components) {
    const ComponentVersion component = find_component(server, text);
    plan.put(component.name, component.version);
  }
  put_model(server, options, plan);
  for (const std::string& name : options.removed) plan.remove(name);
  if (!options.images.empty()) {
    if (options.model.empty()) {
      throw options::UsageError(
          "--images goes with --model; else --set COMPONENT:imageDirectory=DIR");
    }
    plan.set(parse_model_reference(options.model).name + ".Inspect", "imageDirectory",
             json::value(json::string(options.images)));
  }
  for (const std::string& setting : options.settings) plan.set(setting);
  return plan;
}

void print_components(const json::object& components) {
  Table table({"COMPONENT", "VERSION", "CONFIGURATION"});
  for (const auto& [name, entry] : components) {
    const json::value* const update =
        entry.is_object() ? entry.get_object().if_contains("configurationUpdate") : nullptr;
    table.add({name, text_of(entry, "componentVersion"),
               update == nullptr || !update->is_object() ? "" : text_of(*update, "merge")});
  }
  std::cout << table.text();
}

// 0 where all are good; 9, as for what is not possible now, where a device was not.
int print_end(const Options& options, const std::string& id, const std::string& status,
              const std::map<std::string, DeviceProgress>& ends) {
  bool is_good = status != "CANCELED" && status != "FAILED";
  json::object devices;
  for (const auto& [device, end] : ends) {
    is_good = is_good && end.is_good();
    devices[device] = {{"status", end.status}, {"reason", end.reason}};
  }
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"deploymentId", id},
                                              {"deploymentStatus", status},
                                              {"devices", std::move(devices)}})
              << '\n';
  } else {
    fmt::print("{} {}\n", id, status);
  }
  return is_good ? 0 : base::exit_code(ErrorCode::failed_precondition);
}

int wait_for(const Options& options, ServerClient& server, const std::string& id) {
  const auto ends = watch_deployment(server, id, std::chrono::seconds(options.limit_s));
  return print_end(options, id, text_of(read_deployment(server, id), "deploymentStatus"), ends);
}

int create(const Options& options, ServerClient& server, const fleet::Target& target,
           json::object input) {
  const std::string arn = arn_of(server, target);
  if (options.dry_run) {
    if (options.as_json) {
      std::cout << base::json_text(input) << '\n';
      return 0;
    }
    fmt::print("to {} ({} devices), nothing was done:\n", target.key(),
               devices_of(server, target).size());
    print_components(input.at("components").as_object());
    return 0;
  }
  input["targetArn"] = arn;
  input["clientToken"] = base::random_uuid();
  const json::value answer =
      server->rest("greengrass", "POST", "/greengrass/v2/deployments", input);
  const std::string id = text_of(answer, "deploymentId");
  if (options.wait) return wait_for(options, server, id);
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"deploymentId", id}, {"target", target.key()}})
              << '\n';
  } else {
    fmt::print("{}\n", id);
    fmt::print(stderr, "andon deployment watch {} shows how it goes\n", id);
  }
  return 0;
}

int deploy(const Options& options) {
  ServerClient server(options.server);
  const fleet::Target target = find_target(server, options.target);
  const DeploymentPlan plan = plan_of(server, options, arn_of(server, target));
  json::object input{{"components", plan.components()}};
  if (!options.name.empty()) input["deploymentName"] = options.name;
  return create(options, server, target, std::move(input));
}

int list(const Options& options) {
  ServerClient server(options.server);
  std::string path = fmt::format("/greengrass/v2/deployments?historyFilter={}&maxResults=100",
                                 options.all ? "ALL" : "LATEST_ONLY");
  if (!options.target.empty()) {
    path +=
        "&targetArn=" + base::percent_encode(arn_of(server, find_target(server, options.target)));
  }
  json::array all = server.all("greengrass", path, "deployments");
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"deployments", std::move(all)}}) << '\n';
    return 0;
  }
  Table table({"DEPLOYMENT", "TARGET", "STATUS", "MADE", "NAME"});
  for (const json::value& one : all) {
    const auto target = fleet::parse_target_arn(text_of(one, "targetArn"));
    table.add({text_of(one, "deploymentId"), target ? target->key() : text_of(one, "targetArn"),
               text_of(one, "deploymentStatus"), ago_of(one, "creationTimestamp", server.now()),
               text_of(one, "deploymentName")});
  }
  if (table.empty()) {
    fmt::print(stderr, "no deployments; make one: andon deploy TARGET --component NAME\n");
  } else {
    std::cout << table.text();
  }
  return 0;
}

int show(const Options& options) {
  ServerClient server(options.server);
  const json::object deployment = read_deployment(server, options.id);
  const auto target = fleet::parse_target_arn(text_of(deployment, "targetArn"));
  std::map<std::string, DeviceProgress> devices;
  if (target) {
    for (const std::string& device : devices_of(server, *target)) {
      devices[device] = progress_on(server, device, options.id).value_or(DeviceProgress{});
    }
  }
  if (options.as_json) {
    json::object told = deployment;
    json::object of_devices;
    for (const auto& [device, progress] : devices) {
      of_devices[device] = {{"status", progress.status}, {"reason", progress.reason}};
    }
    told["devices"] = std::move(of_devices);
    std::cout << base::json_text(told) << '\n';
    return 0;
  }
  // Of one that was canceled: by whom, or by which of its criteria.
  const std::string reason = text_of(deployment, fleet::kReasonMember);
  const std::string why = reason.empty() ? "" : " (" + reason + ")";
  fmt::print("deployment  {}\nname        {}\ntarget      {}\nstatus      {}{}\nmade        {}\n\n",
             options.id, text_of(deployment, "deploymentName"),
             target ? target->key() : text_of(deployment, "targetArn"),
             text_of(deployment, "deploymentStatus"), why,
             ago_of(deployment, "creationTimestamp", server.now()));
  print_components(
      base::JsonReader(deployment, "deployment").child_or_empty("components").object());
  Table table({"DEVICE", "STATUS", "REASON"});
  for (const auto& [device, progress] : devices) {
    table.add(
        {device, progress.status.empty() ? "NOT HEARD OF IT" : progress.status, progress.reason});
  }
  if (!table.empty()) std::cout << '\n' << table.text();
  return 0;
}

int watch(const Options& options) {
  ServerClient server(options.server);
  return wait_for(options, server, options.id);
}

int cancel(const Options& options) {
  ServerClient server(options.server);
  const json::value answer =
      server->rest("greengrass", "POST",
                   "/greengrass/v2/deployments/" + base::percent_encode(options.id) + "/cancel");
  if (options.as_json) std::cout << base::json_text(answer) << '\n';
  return 0;
}

// What the target ran before its newest deployment, as a new deployment.
int rollback(const Options& options) {
  ServerClient server(options.server);
  const fleet::Target target = find_target(server, options.target);
  const json::array all = deployments_of(server, arn_of(server, target));
  std::string before;
  for (std::size_t i = 1; i < all.size() && before.empty(); ++i) {
    const std::string status = text_of(all[i], "deploymentStatus");
    if (status != "CANCELED" && status != "FAILED") before = text_of(all[i], "deploymentId");
  }
  if (before.empty()) {
    throw Error(ErrorCode::failed_precondition,
                target.key() +
                    " has no deployment before the newest to go back to; andon deployment "
                    "list --all --target " +
                    target.name + " shows them");
  }
  const json::object deployment = read_deployment(server, before);
  json::object input{{"deploymentName", "back to " + before}};
  for (const char* member : {"components", "deploymentPolicies"}) {
    const json::value* const value = deployment.if_contains(member);
    if (value != nullptr && !value->is_null()) input[member] = *value;
  }
  return create(options, server, target, std::move(input));
}

}  // namespace

void add_deployment_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto set_up = [&](CLI::App* command, int (*run)(const Options&)) {
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print one JSON object");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto making = [&](CLI::App* command) {
    command
        ->add_option("target", options->target, "A group or a device: NAME, group/NAME, thing/NAME")
        ->required();
    command->add_flag("--wait", options->wait, "Wait until each device has done it or failed");
    command->add_flag("--dry-run", options->dry_run, "Show what would be deployed; do nothing");
    return command;
  };
  const auto limited = [&](CLI::App* command) {
    command->add_option("--timeout", options->limit_s, "Seconds to wait at most")
        ->check(CLI::Range(1, 7 * 24 * 3600))
        ->capture_default_str();
  };

  CLI::App* deploy_command = making(set_up(
      app.add_subcommand("deploy", "Change what a group or a device runs; what is not named stays"),
      deploy));
  deploy_command
      ->add_option(
          "--model", options->model,
          "An approved model, NAME or NAME@3: component NAME.Model, and NAME.Inspect where it "
          "is there")
      ->type_name("MODEL");
  deploy_command
      ->add_option("--component", options->components,
                   "A component, NAME for its newest version or NAME@1.2.0; may be repeated")
      ->type_name("COMPONENT");
  deploy_command
      ->add_option("--remove", options->removed, "A component to take away; may be repeated")
      ->type_name("COMPONENT");
  deploy_command
      ->add_option("--set", options->settings,
                   "Part of a component's configuration, COMPONENT:KEY=VALUE; may be repeated")
      ->type_name("SETTING");
  deploy_command
      ->add_option("--images", options->images,
                   "With --model: the directory on the device that pictures come to")
      ->type_name("DIR");
  deploy_command
      ->add_option("-f,--file", options->file,
                   "Components as CreateDeployment has them, JSON or YAML")
      ->type_name("FILE");
  deploy_command->add_flag("--only", options->only, "Take away what is not named");
  deploy_command->add_option("--name", options->name, "Name of the deployment");
  limited(deploy_command);

  CLI::App* deployment = noun(app, "deployment", "What was deployed, and how it goes");
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    return set_up(deployment->add_subcommand(name, help), run);
  };
  const auto of_one = [&](CLI::App* command) {
    command->add_option("id", options->id, "Id of the deployment")->required();
    return command;
  };
  CLI::App* list_command = add("list", "The newest deployment of each target", list);
  list_command->add_option("--target", options->target, "Only of this group or device");
  list_command->add_flag("--all", options->all, "Those before, too");
  of_one(add("show", "A deployment: its components and how it is on each device", show));
  limited(of_one(add("watch", "Wait until each device has done it or failed", watch)));
  of_one(add("cancel", "Stop a deployment; devices that have it keep it", cancel));
  limited(making(add("rollback", "Deploy again what ran before the newest deployment", rollback)));
}

}  // namespace andon::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/device/fleet_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "cli/device/fleet.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "fleet/names/arn.hpp"
#include "options/choice.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::percent_encode;

struct Options {
  ServerChoice server;
  std::string name;
  std::string group;
  std::string status;
  std::string parent;
  std::vector<std::string> things;
  bool yes = false;
  bool as_json = false;
};

void print(const json::value& value) {
  std::cout << base::json_text(value) << '\n';
}

std::map<std::string, json::value> core_devices(ServerClient& server) {
  std::map<std::string, json::value> devices;
  for (json::value& device :
       server.all("greengrass", "/greengrass/v2/coreDevices?maxResults=100", "coreDevices")) {
    devices[text_of(device, "coreDeviceThingName")] = std::move(device);
  }
  return devices;
}

// "HEALTHY", "UNHEALTHY", or what is known of one that has never reported.
std::string state_of(const std::map<std::string, json::value>& devices, const std::string& name) {
  const auto known = devices.find(name);
  return known == devices.end() ? "NEVER SEEN" : text_of(known->second, "status");
}

int list_devices(const Options& options) {
  ServerClient server(options.server);
  const auto devices = core_devices(server);
  Table table({"DEVICE", "STATE", "REPORTED", "PLATFORM"});
  json::array all;
  for (const std::string& name : things_of(server, options.group)) {
    const std::string state = state_of(devices, name);
    if (!options.status.empty() && state != options.status) continue;
    const auto known = devices.find(name);
    const json::value device = known == devices.end() ? json::object() : known->second;
    table.add({name, state, ago_of(device, "lastStatusUpdateTimestamp", server.now()),
               text_of(device, "platform") + " " + text_of(device, "architecture")});
    json::object one = device.as_object();
    one["thingName"] = name;
    one["status"] = state;
    all.emplace_back(std::move(one));
  }
  if (options.as_json) {
    print(json::object{{"devices", std::move(all)}});
  } else if (table.empty()) {
    fmt::print(stderr, "no devices; enrol one: andon device add NAME\n");
  } else {
    std::cout << table.text();
  }
  return 0;
}

// Each of a list's items where the device has reported; none where the server does not know it yet.
json::array reported(ServerClient& server, const std::string& target, std::string_view member) {
  try {
    return server.all("greengrass", target, member);
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found) throw;
    return {};
  }
}

struct Device {
  json::value thing;
  json::value core = json::object();
  json::array groups;
  json::array components;
  json::array deployments;
};

Device read_device(ServerClient& server, const std::string& name) {
  Device device;
  device.thing = server->rest("iot", "GET", "/things/" + percent_encode(name));
  device.groups =
      server.all("iot", "/things/" + percent_encode(name) + "/thing-groups", "thingGroups");
  try {
    device.core = server->rest("greengrass", "GET", core_device_path(name));
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found) throw;
  }
  device.components = reported(
      server, core_device_path(name, "/installedComponents?maxResults=100"), "installedComponents");
  device.deployments =
      reported(server, core_device_path(name, "/effectiveDeployments?maxResults=100"),
               "effectiveDeployments");
  return device;
}

int show_device(const Options& options) {
  ServerClient server(options.server);
  const Device device = read_device(server, options.name);
  if (options.as_json) {
    print(json::object{{"thing", device.thing},
                       {"coreDevice", device.core},
                       {"thingGroups", device.groups},
                       {"installedComponents", device.components},
                       {"effectiveDeployments", device.deployments}});
    return 0;
  }
  std::string groups;
  for (const json::value& group : device.groups) {
    groups += (groups.empty() ? "" : ", ") + text_of(group, "groupName");
  }
  const bool is_known = !device.core.as_object().empty();
  fmt::print("device    {}\nstate     {}\n", text_of(device.thing, "thingName"),
             is_known ? text_of(device.core, "status") : "NEVER SEEN");
  if (is_known) {
    fmt::print("reported  {}\nagent     {} on {} {}\n",
               ago_of(device.core, "lastStatusUpdateTimestamp", server.now()),
               text_of(device.core, "coreVersion"), text_of(device.core, "platform"),
               text_of(device.core, "architecture"));
  }
  fmt::print("groups    {}\n", groups.empty() ? "-" : groups);
  Table components({"COMPONENT", "VERSION", "STATE", "SINCE", "DETAILS"});
  for (const json::value& one : device.components) {
    components.add({text_of(one, "componentName"), text_of(one, "componentVersion"),
                    text_of(one, "lifecycleState"),
                    ago_of(one, "lastStatusChangeTimestamp", server.now()),
                    text_of(one, "lifecycleStateDetails")});
  }
  if (!components.empty()) std::cout << '\n' << components.text();
  Table deployments({"DEPLOYMENT", "NAME", "STATUS", "CHANGED", "REASON"});
  for (const json::value& one : device.deployments) {
    deployments.add({text_of(one, "deploymentId"), text_of(one, "deploymentName"),
                     text_of(one, "coreDeviceExecutionStatus"),
                     ago_of(one, "modifiedTimestamp", server.now()), text_of(one, "reason")});
  }
  if (!deployments.empty()) std::cout << '\n' << deployments.text();
  return 0;
}

int remove_device(const Options& options) {
  ServerClient server(options.server);
  const std::string thing = "/things/" + percent_encode(options.name);
  (void)server->rest("iot", "GET", thing);
  confirm(
      fmt::format("Remove {} from the fleet? Its certificates are revoked; it runs on with what it "
                  "has, cut off from the server.",
                  options.name),
      options.yes);
  for (const json::value& principal : server.all("iot", thing + "/principals", "principals")) {
    const std::string arn(principal.as_string());
    const auto id = fleet::parse_certificate_arn(arn);
    wire::Headers headers;
    headers.add("x-amzn-principal", arn);
    (void)server->rest("iot", "DELETE", thing + "/principals", nullptr, std::move(headers));
    if (!id) continue;
    (void)server->rest("iot", "PUT", "/certificates/" + *id + "?newStatus=REVOKED");
  }
  for (const json::value& group : server.all("iot", thing + "/thing-groups", "thingGroups")) {
    (void)server->rest(
        "iot", "PUT", "/thing-groups/removeThingFromThingGroup",
        {{"thingName", options.name}, {"thingGroupName", text_of(group, "groupName")}});
  }
  try {
    (void)server->rest("greengrass", "DELETE", core_device_path(options.name));
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found) throw;  // it has never reported
  }
  (void)server->rest("iot", "DELETE", thing);
  fmt::print(stderr, "{} is removed\n", options.name);
  return 0;
}

int list_groups(const Options& options) {
  ServerClient server(options.server);
  const auto devices = core_devices(server);
  Table table({"GROUP", "DEVICES", "HEALTHY", "UNHEALTHY"});
  json::array all;
  for (const json::value& group :
       server.all("iot", "/thing-groups?maxResults=250", "thingGroups")) {
    const std::string name = text_of(group, "groupName");
    const auto things = things_of(server, name);
    const auto count = [&](std::string_view state) {
      return std::ranges::count_if(
          things, [&](const std::string& thing) { return state_of(devices, thing) == state; });
    };
    const auto healthy = count("HEALTHY");
    const auto unhealthy = count("UNHEALTHY");
    table.add(
        {name, std::to_string(things.size()), std::to_string(healthy), std::to_string(unhealthy)});
    all.push_back(json::object{{"groupName", name},
                               {"devices", things.size()},
                               {"healthy", healthy},
                               {"unhealthy", unhealthy}});
  }
  if (options.as_json) {
    print(json::object{{"groups", std::move(all)}});
  } else if (table.empty()) {
    fmt::print(stderr, "no groups; make one: andon group create NAME\n");
  } else {
    std::cout << table.text();
  }
  return 0;
}

int show_group(const Options& options) {
  Options of_group = options;
  of_group.group = options.name;
  return list_devices(of_group);
}

int create_group(const Options& options) {
  ServerClient server(options.server);
  const json::value answer = server->rest(
      "iot", "POST", "/thing-groups/" + percent_encode(options.name),
      options.parent.empty() ? json::object() : json::object{{"parentGroupName", options.parent}});
  if (options.as_json) print(answer);
  return 0;
}

int remove_group(const Options& options) {
  ServerClient server(options.server);
  confirm(fmt::format("Remove the group {}? Its devices stay, and so does what runs on them.",
                      options.name),
          options.yes);
  (void)server->rest("iot", "DELETE", "/thing-groups/" + percent_encode(options.name));
  return 0;
}

int change_members(const Options& options, const char* operation) {
  ServerClient server(options.server);
  for (const std::string& thing : options.things) {
    (void)server->rest("iot", "PUT", std::string("/thing-groups/") + operation,
                       {{"thingName", thing}, {"thingGroupName", options.name}});
  }
  return 0;
}

int add_to_group(const Options& options) {
  return change_members(options, "addThingToThingGroup");
}

int take_from_group(const Options& options) {
  return change_members(options, "removeThingFromThingGroup");
}

}  // namespace

void add_fleet_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](CLI::App* noun, const char* name, const char* help,
                       int (*run)(const Options&)) {
    CLI::App* command = noun->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print JSON");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto named = [&](CLI::App* command, const char* what) {
    command->add_option("name", options->name, what)->required();
    return command;
  };
  const auto asking = [&](CLI::App* command) {
    command->add_flag("-y,--yes", options->yes, "Do not ask");
    return command;
  };

  CLI::App* device = noun(app, "device", "Devices of the fleet");
  CLI::App* list = add(device, "list", "Devices, their state, when they reported", list_devices);
  list->add_option("--group", options->group, "Only those of this group and of groups below it");
  list->add_option("--status", options->status, "Only those in this state")
      ->check(options::one_of({"HEALTHY", "UNHEALTHY", "NEVER SEEN"}));
  named(add(device, "show", "One device: its components and its deployments", show_device),
        "Thing name");
  asking(named(add(device, "remove", "Revoke a device's certificates and forget it", remove_device),
               "Thing name"));

  CLI::App* group = noun(app, "group", "Groups of devices");
  add(group, "list", "Groups and how their devices are", list_groups);
  named(add(group, "show", "The devices of a group", show_group), "Name of the group");
  named(add(group, "create", "Make a group", create_group), "Name of the group")
      ->add_option("--parent", options->parent, "The group that it is part of");
  asking(named(add(group, "remove", "Remove a group without devices", remove_group),
               "Name of the group"));
  named(add(group, "add", "Put devices into a group", add_to_group), "Name of the group")
      ->add_option("things", options->things, "Thing names")
      ->required();
  named(add(group, "take", "Take devices out of a group", take_from_group), "Name of the group")
      ->add_option("things", options->things, "Thing names")
      ->required();
}

}  // namespace andon::cli

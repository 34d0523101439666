// SPDX-License-Identifier: Apache-2.0
#include "cli/deployment/deployments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "cli/device/fleet.hpp"
#include "cli/terminal/table.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using fleet::Target;

constexpr std::chrono::milliseconds kGlance{300};
constexpr std::array<std::string_view, 3> kGood = {"SUCCEEDED", "COMPLETED", "INACTIVE"};
constexpr std::array<std::string_view, 5> kBad = {"FAILED", "REJECTED", "CANCELED", "TIMED_OUT",
                                                  "NO_LONGER_APPLICABLE"};

bool exists(ServerClient& server, const std::string& path) {
  try {
    (void)server->rest("iot", "GET", path);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return false;
  }
}

bool exists(ServerClient& server, const Target& target) {
  const char* const list = target.kind == Target::Kind::thing ? "/things/" : "/thing-groups/";
  return exists(server, list + base::percent_encode(target.name));
}

Target existing(ServerClient& server, const Target& target) {
  if (!exists(server, target)) {
    throw Error(ErrorCode::not_found,
                fmt::format("there is no {} '{}'; andon {} list shows those that are",
                            target.kind == Target::Kind::thing ? "device" : "group", target.name,
                            target.kind == Target::Kind::thing ? "device" : "group"));
  }
  return target;
}

}  // namespace

Target find_target(ServerClient& server, const std::string& text) {
  if (const auto target = fleet::parse_target_arn(text)) return existing(server, *target);
  constexpr std::string_view kThing = "thing/";
  for (const std::string_view prefix :
       {std::string_view("group/"), std::string_view("thinggroup/")}) {
    if (text.starts_with(prefix)) {
      return existing(server, {Target::Kind::thing_group, text.substr(prefix.size())});
    }
  }
  if (text.starts_with(kThing)) {
    return existing(server, {Target::Kind::thing, text.substr(kThing.size())});
  }
  const Target group{Target::Kind::thing_group, text};
  const Target thing{Target::Kind::thing, text};
  const bool is_group = exists(server, group);
  if (exists(server, thing)) {
    if (!is_group) return thing;
    throw options::UsageError(fmt::format(
        "both a group and a device are called '{0}': say group/{0} or thing/{0}", text));
  }
  if (is_group) return group;
  throw Error(ErrorCode::not_found,
              "there is neither a group nor a device '" + text +
                  "'; andon device list and andon group list show those that are");
}

std::string arn_of(const ServerClient& server, const Target& target) {
  return fleet::Arns(server.connection().region).target(target.key());
}

std::vector<std::string> devices_of(ServerClient& server, const Target& target) {
  if (target.kind == Target::Kind::thing) return {target.name};
  return things_of(server, target.name);
}

json::object read_deployment(ServerClient& server, const std::string& id) {
  return server->rest("greengrass", "GET", "/greengrass/v2/deployments/" + base::percent_encode(id))
      .as_object();
}

json::array deployments_of(ServerClient& server, const std::string& target_arn) {
  json::array all =
      server.all("greengrass",
                 "/greengrass/v2/deployments?historyFilter=ALL&maxResults=100&targetArn=" +
                     base::percent_encode(target_arn),
                 "deployments");
  const auto made = [](const json::value& one) {
    return base::JsonReader(one, "deployments[]").optional_number("creationTimestamp").value_or(0);
  };
  std::ranges::stable_sort(all, std::ranges::greater(), made);
  return all;
}

bool DeviceProgress::is_good() const {
  return std::ranges::find(kGood, status) != kGood.end();
}

bool DeviceProgress::is_over() const {
  return is_good() || std::ranges::find(kBad, status) != kBad.end();
}

std::optional<DeviceProgress> progress_on(ServerClient& server, const std::string& device,
                                          const std::string& deployment_id) {
  json::array all;
  try {
    all = server.all("greengrass", core_device_path(device, "/effectiveDeployments?maxResults=100"),
                     "effectiveDeployments");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;  // it has never reported
  }
  for (const json::value& one : all) {
    if (text_of(one, "deploymentId") != deployment_id) continue;
    return DeviceProgress{text_of(one, "coreDeviceExecutionStatus"), text_of(one, "reason")};
  }
  return std::nullopt;
}

std::map<std::string, DeviceProgress> watch_deployment(ServerClient& server, const std::string& id,
                                                       std::chrono::seconds limit) {
  const json::object deployment = read_deployment(server, id);
  const auto target = fleet::parse_target_arn(text_of(deployment, "targetArn"));
  if (!target) {
    throw Error(ErrorCode::unsupported,
                "deployment " + id + " has no group or device as its target");
  }
  std::map<std::string, DeviceProgress> ends;
  std::vector<std::string> waiting = devices_of(server, *target);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    const std::string status = text_of(read_deployment(server, id), "deploymentStatus");
    std::erase_if(waiting, [&](const std::string& device) {
      const auto now = progress_on(server, device, id);
      if (!now) return false;
      if (ends[device] != *now) {
        fmt::print(stderr, "{:<24} {}{}\n", device, now->status,
                   now->reason.empty() || now->is_good() ? "" : ": " + now->reason);
        ends[device] = *now;
      }
      return now->is_over();
    });
    if (waiting.empty() || status == "CANCELED" || status == "INACTIVE") return ends;
    if (std::chrono::steady_clock::now() >= deadline) {
      std::string names;
      for (const std::string& device : waiting) names += (names.empty() ? "" : ", ") + device;
      throw Error(ErrorCode::deadline_exceeded,
                  fmt::format("after {} s not yet done on: {}. The deployment goes on: andon "
                              "deployment watch {}",
                              limit.count(), names, id));
    }
    std::this_thread::sleep_for(kGlance);
  }
}

}  // namespace andon::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/device/metrics_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/time/time.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::percent_encode;

constexpr int kMostHours = 720;

struct Options {
  ServerChoice server;
  std::string name;
  int hours = 1;
  bool as_json = false;
};

struct Range {
  double low = 0;
  double high = 0;
};

// Of each figure, over all points.
std::map<std::string, Range> ranges_of(const json::array& points) {
  std::map<std::string, Range> ranges;
  for (const json::value& point : points) {
    for (const auto& [key, value] : point.as_object()) {
      if (!value.is_number()) continue;
      const auto number = value.to_number<double>();
      const auto [known, is_new] = ranges.try_emplace(std::string(key), Range{number, number});
      known->second = {std::min(known->second.low, number), std::max(known->second.high, number)};
    }
  }
  return ranges;
}

std::string told(double number) {
  return base::number_text(number);
}

int show_metrics(const Options& options) {
  ServerClient server(options.server);
  const std::string from = base::to_iso8601(server.now() - std::chrono::hours{options.hours});
  const json::value answer = server->rest(
      "andon", "GET",
      "/andon/v1/things/" + percent_encode(options.name) + "/metrics?from=" + percent_encode(from));
  if (options.as_json) {
    std::cout << base::json_text(answer) << '\n';
    return 0;
  }
  const json::object& output = answer.as_object();
  const json::value* const latest = output.if_contains("latest");
  if (latest == nullptr) {
    fmt::print(
        stderr,
        "{} has told no figures yet: its agent tells them once a minute, unless telemetry is "
        "turned off in the configuration of aws.greengrass.Nucleus\n",
        options.name);
    return 0;
  }
  const auto ranges = ranges_of(output.at("points").as_array());
  const auto at = base::parse_iso8601(plain_text_of(latest->as_object(), "at"));
  fmt::print("{}, {}; the lowest and highest of {} h\n", options.name,
             at ? ago(*at, server.now()) : "", options.hours);
  Table table({"FIGURE", "NOW", "LOW", "HIGH"});
  for (const auto& [key, value] : latest->as_object()) {
    if (!value.is_number()) continue;
    const auto range = ranges.find(std::string(key));
    const bool has_range = range != ranges.end();
    table.add({std::string(key), told(value.to_number<double>()),
               has_range ? told(range->second.low) : "",
               has_range ? told(range->second.high) : ""});
  }
  std::cout << table.text();
  return 0;
}

int list_alarms(const Options& options) {
  ServerClient server(options.server);
  const std::string query = options.name.empty() ? "" : "?thing=" + percent_encode(options.name);
  const json::value answer = server->rest("andon", "GET", "/andon/v1/alarms" + query);
  if (options.as_json) {
    std::cout << base::json_text(answer) << '\n';
    return 0;
  }
  Table table({"ALARM", "DEVICE", "SINCE", "WHY"});
  for (const json::value& alarm : answer.as_object().at("alarms").as_array()) {
    const auto since = base::parse_iso8601(plain_text_of(alarm.as_object(), "since"));
    table.add({text_of(alarm, "alarm"), text_of(alarm, "thing"),
               since ? ago(*since, server.now()) : "", text_of(alarm, "reason")});
  }
  if (table.empty()) {
    fmt::print(stderr, "no alarm is raised\n");
  } else {
    std::cout << table.text();
  }
  return 0;
}

}  // namespace

void add_metrics_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* device = noun(app, "device", "Devices of the fleet");
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* command = device->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print JSON");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  CLI::App* metrics = add("metrics", "Processors, memory, disk, link of a device", show_metrics);
  metrics->add_option("name", options->name, "Thing name")->required();
  metrics->add_option("--hours", options->hours, "How far back; beyond 24, averages by the hour")
      ->check(CLI::Range(1, kMostHours))
      ->capture_default_str();
  add("alarms", "What is not as it should be: disks, rejects, certificates", list_alarms)
      ->add_option("name", options->name, "Of this device alone");
}

}  // namespace andon::cli

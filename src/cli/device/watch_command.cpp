// SPDX-License-Identifier: Apache-2.0
#include "cli/device/watch_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/text/escape.hpp"
#include "cli/device/fleet.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kGlance{1000};

struct Options {
  ServerChoice server;
  std::vector<std::string> names;
  int limit_s = 0;
  bool as_json = false;
};

// What is told of one thing that can change: a device, or a component on it.
using Seen = std::map<std::string, std::string>;

class Watch {
 public:
  explicit Watch(const Options& options) : options_(options), server_(options.server) {}

  void look() {
    now_ = server_.now();
    Seen seen;
    for (const json::value& device :
         server_.all("greengrass", "/greengrass/v2/coreDevices?maxResults=100", "coreDevices")) {
      const std::string name = plain_text_of(device.as_object(), "coreDeviceThingName");
      const auto& wanted = options_.names;
      if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end()) continue;
      note(seen, {{"device", name}, {"state", plain_text_of(device.as_object(), "status")}}, name);
      if (!wanted.empty()) look_at_components(seen, name);
    }
    for (const auto& [key, before] : seen_) {
      if (!seen.contains(key)) tell({{"what", key}, {"state", "GONE"}});
    }
    seen_ = std::move(seen);
  }

 private:
  void look_at_components(Seen& seen, const std::string& device) {
    for (const json::value& one :
         server_.all("greengrass", core_device_path(device, "/installedComponents?maxResults=100"),
                     "installedComponents")) {
      const json::object& component = one.as_object();
      const std::string name = plain_text_of(component, "componentName");
      json::object told{{"device", device},
                        {"component", name},
                        {"version", plain_text_of(component, "componentVersion")},
                        {"state", plain_text_of(component, "lifecycleState")}};
      const std::string reason = plain_text_of(component, "lifecycleStateDetails");
      if (!reason.empty()) told["reason"] = reason;
      note(seen, told, device + " " + name);
    }
  }

  void note(Seen& seen, const json::object& told, const std::string& key) {
    const std::string text = base::to_text(told);
    const auto before = seen_.find(key);
    if (before == seen_.end() || before->second != text) tell(told);
    seen[key] = text;
  }

  void tell(json::object told) const {
    const std::string time = base::to_iso8601(now_);
    if (options_.as_json) {
      told["time"] = time;
      std::cout << base::json_text(told) << '\n' << std::flush;
      return;
    }
    std::string line = time;
    for (const auto& [key, value] : told) line += "  " + std::string(value.as_string());
    std::cout << base::escape_line(line) << '\n' << std::flush;
  }

  const Options& options_;
  ServerClient server_;
  base::Timestamp now_;
  Seen seen_;
};

int watch(const Options& options) {
  Watch watching(options);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.limit_s);
  for (;;) {
    watching.look();
    if (!std::cout) return 0;  // nobody reads any more
    if (options.limit_s > 0 && std::chrono::steady_clock::now() >= end) return 0;
    std::this_thread::sleep_for(kGlance);
  }
}

}  // namespace

void add_watch_command(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = noun(app, "device", "Devices of the fleet")
                                ->add_subcommand("watch", "How devices are, and each change");
  command->add_option("names", options->names,
                      "Thing names, whose components are watched, too; default: all devices");
  add_server_options(*command, options->server);
  command->add_option("--timeout", options->limit_s, "Seconds to watch; 0: until it is ended")
      ->check(CLI::Range(0, 7 * 24 * 3600))
      ->capture_default_str();
  command->add_flag("--json", options->as_json, "Print a JSON object a line");
  command->callback([options, &selected] { selected = [options] { return watch(*options); }; });
}

}  // namespace andon::cli

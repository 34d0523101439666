// SPDX-License-Identifier: Apache-2.0
#include "edge/agent_status.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/time.hpp"
#include "edge/deployment_journal.hpp"
#include "edge/device_config.hpp"
#include "edge/state_database.hpp"

namespace andon::edge {
namespace {

// Not by the lock on the root: to try it could be in the way of an agent that starts.
bool is_of_running_agent(const json::value& live) {
  const base::JsonReader reader(live, "status file");
  const auto pid = static_cast<pid_t>(reader.optional_integer("pid").value_or(0));
  const auto ticks = static_cast<std::uint64_t>(reader.optional_integer("startTicks").value_or(0));
  return pid > 0 && base::process_start_ticks(pid) == ticks;
}

json::object describe(const DeploymentRecord& record) {
  json::object deployment{{"jobId", record.job_id},
                          {"state", record.state_name},
                          {"bytesFetched", record.bytes_fetched}};
  if (record.failure) deployment["failure"] = to_json(*record.failure);
  return deployment;
}

json::array components_without_agent(const InstalledSet& set) {
  json::array components;
  for (const InstalledComponent& component : set.components) {
    components.push_back(json::object{
        {"name", component.name}, {"version", component.version}, {"state", "STOPPED"}});
  }
  return components;
}

}  // namespace

void write_live_status(const Layout& layout, const json::object& status) {
  const fs::path path = layout.status_file();
  const fs::path fresh = path.string() + ".new";
  const base::UniqueFd file = base::open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  base::write_all(file.get(), base::to_text(status), fresh);
  fs::rename(fresh, path);
}

json::object read_status(const Layout& layout) {
  const std::optional<DeviceConfig> device = load_device_config(layout);
  if (!device) {
    throw base::Error(base::ErrorCode::failed_precondition,
                      "no device is provisioned below " + layout.root().string() +
                          "; run `andon-edge provision` first, or give another --root");
  }
  json::object status{{"thing", device->thing_name}, {"server", device->data_plane_url()}};
  std::optional<DeploymentRecord> latest;
  InstalledSet last_good;
  if (fs::exists(layout.database())) {
    const base::SystemClock clock;
    const auto database = open_state_database(layout.database());
    const DeploymentJournal journal(*database, clock);
    latest = journal.latest();
    last_good = journal.last_good();
  }
  status["components"] = components_without_agent(last_good);
  status["agent"] = "not running";
  if (const auto text = base::read_file_if_exists(layout.status_file())) {
    const json::value live = base::parse_json(*text, layout.status_file().string());
    if (is_of_running_agent(live)) {
      status["agent"] = "running";
      for (const auto& [key, member] : live.as_object()) status[key] = member;
    }
  }
  if (latest) status["lastDeployment"] = describe(*latest);
  return status;
}

std::string to_readable(const json::object& status) {
  const base::JsonReader reader(status, "status");
  std::string text = fmt::format("{} of {}: agent {}", reader.string("thing"),
                                 reader.string("server"), reader.string("agent"));
  if (const auto connected = reader.optional_bool("connected")) {
    text += *connected ? ", connected" : ", offline";
  }
  text += '\n';
  for (const json::value& entry : *reader.optional_array("components")) {
    const base::JsonReader component(entry, "components[]");
    text += fmt::format("  {:<40} {:<14} {}", component.string("name"), component.string("version"),
                        component.string("state"));
    const std::string reason = component.optional_string("reason").value_or("");
    text += reason.empty() ? "\n" : "  (" + reason + ")\n";
  }
  if (reader.has("lastDeployment")) {
    const base::JsonReader deployment = reader.child("lastDeployment");
    text += fmt::format("last deployment {}: {}, {} bytes fetched\n", deployment.string("jobId"),
                        deployment.string("state"), deployment.integer("bytesFetched"));
    if (deployment.has("failure")) {
      text += "  " + deployment.child("failure").string("cause") + '\n';
    }
  }
  return text;
}

}  // namespace andon::edge

// SPDX-License-Identifier: Apache-2.0
#include "edge/control/agent_status.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/process.hpp"
#include "base/text/escape.hpp"
#include "base/time/time.hpp"
#include "edge/cloud/certificate_renewal.hpp"
#include "edge/control/adoption.hpp"
#include "edge/deploy/deployment_journal.hpp"
#include "edge/process/process_journal.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/state_database.hpp"

namespace andon::edge {
namespace {

// It is not synced: a power cut may have left any part of it, which is no running agent's.
json::value parse_live(const std::string& text) {
  try {
    json::value live = base::parse_json(text, "live status");
    if (live.is_object()) return live;
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::invalid_argument) throw;
  }
  return json::object{};
}

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

// Not by its lock either.
bool is_kept(const keep::KeptState& state) {
  const auto name =
      base::read_file_if_exists("/proc/" + std::to_string(state.keeper) + "/comm", 64);
  return name && name->starts_with("andon-keeper");
}

json::array components_without_agent(const Layout& layout, const InstalledSet& set) {
  const ProcessJournal journal(layout.processes());
  json::array components;
  for (const InstalledComponent& component : set.components) {
    json::object entry{
        {"name", component.name}, {"version", component.version}, {"state", "STOPPED"}};
    const auto kept = kept_state({journal.kept_directory(component.name)});
    if (kept && is_kept(*kept)) {
      if (kept->has_ended) {
        entry["reason"] = "ended with " +
                          base::to_string(base::ExitStatus{kept->code, kept->signal}) +
                          " while no agent ran";
      } else {
        entry["state"] = "RUNNING";
        entry["pid"] = kept->leader;
        entry["note"] = "goes on without an agent";
      }
    }
    components.push_back(std::move(entry));
  }
  return components;
}

std::string readable_adoption(const base::JsonReader& launcher) {
  std::string text;
  const std::string runs = launcher.string("runs");
  if (runs != "base") {
    text += fmt::format("the agent is a component's ({}){}\n", runs,
                        launcher.has("onTrial") ? ", on trial" : "");
  }
  if (const auto why = launcher.optional_string("returnedFrom")) {
    text += "returned from another agent: " + base::escape_line(*why) + '\n';
  }
  return text;
}

std::string readable_network(const base::JsonReader& network) {
  std::string text;
  const auto endpoints = network.optional_string("endpoints");
  const auto proxy = network.optional_string("proxy");
  if (endpoints) {
    text += fmt::format("endpoints {}: broker {}\n", *endpoints,
                        network.optional_string("broker").value_or("unknown"));
  }
  if (proxy) text += "through the proxy " + base::escape_line(*proxy) + '\n';
  const auto why = network.optional_string("why");
  if (why) text += "  " + base::escape_line(*why) + '\n';
  if (const auto moved = network.optional_string("movedTo")) {
    text += "the server has moved to " + base::escape_line(*moved) + '\n';
  }
  if (const auto told = network.optional_string("told")) {
    text += fmt::format("the server says that it is at {}, {}\n", base::escape_line(*told),
                        network.optional_string("toldState").value_or(""));
    const auto told_why = network.optional_string("toldWhy");
    if (told_why) text += "  " + base::escape_line(*told_why) + '\n';
  }
  return text;
}

}  // namespace

void write_live_status(const Layout& layout, const json::object& status) {
  const fs::path path = layout.status_file();
  const fs::path fresh = path.string() + ".new";
  const base::UniqueFd file = base::open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
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
  status["components"] = components_without_agent(layout, last_good);
  if (auto certificate = certificate_status(layout); !certificate.empty()) {
    status["certificate"] = std::move(certificate);
  }
  if (auto adoption = describe_adoption(layout); !adoption.empty()) {
    status["launcher"] = std::move(adoption);
  }
  status["agent"] = "not running";
  if (const auto text = base::read_file_if_exists(layout.status_file())) {
    if (const json::value live = parse_live(*text); is_of_running_agent(live)) {
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
  if (reader.has("launcher")) text += readable_adoption(reader.child("launcher"));
  if (reader.has("network")) text += readable_network(reader.child("network"));
  if (reader.has("linkBudget")) {
    const base::JsonReader budget = reader.child("linkBudget");
    for (const auto& [use, why] : budget.string_map("waiting")) {
      text += "  " + base::escape_line(why) + '\n';
    }
  }
  if (reader.has("certificate")) {
    const base::JsonReader certificate = reader.child("certificate");
    text += fmt::format("certificate until {}, renewed after {}\n", certificate.string("notAfter"),
                        certificate.string("renewAfter"));
    const auto problem = certificate.optional_string("problem");
    if (problem) text += "  not renewed: " + base::escape_line(*problem) + '\n';
  }
  if (reader.has("clock")) {
    // Answers have whole seconds, so that a right clock seems a little ahead or behind.
    constexpr std::int64_t kWorthTelling = 60'000;
    const std::int64_t ahead = reader.child("clock").optional_integer("aheadMs").value_or(0);
    if (std::abs(ahead) >= kWorthTelling) {
      text += fmt::format("this device's clock is {} s {} the server's\n", std::abs(ahead) / 1000,
                          ahead > 0 ? "ahead of" : "behind");
    }
  }
  for (const json::value& entry : *reader.optional_array("components")) {
    const base::JsonReader component(entry, "components[]");
    text += fmt::format("  {:<40} {:<14} {}", component.string("name"), component.string("version"),
                        component.string("state"));
    std::string reason = component.optional_string("reason").value_or("");
    if (reason.empty()) reason = component.optional_string("note").value_or("");
    text += reason.empty() ? "\n" : "  (" + base::escape_line(reason) + ")\n";
  }
  if (reader.has("lastDeployment")) {
    const base::JsonReader deployment = reader.child("lastDeployment");
    text += fmt::format("last deployment {}: {}, {} bytes fetched\n", deployment.string("jobId"),
                        deployment.string("state"), deployment.integer("bytesFetched"));
    if (deployment.has("failure")) {
      text += "  " + base::escape_line(deployment.child("failure").string("cause")) + '\n';
    }
  }
  return text;
}

}  // namespace andon::edge

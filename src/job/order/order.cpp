// SPDX-License-Identifier: Apache-2.0
#include "job/order/order.hpp"

#include <array>
#include <utility>

#include "base/json/json_reader.hpp"

namespace andon::job {
namespace {

namespace json = base::json;

constexpr std::array<std::pair<std::string_view, JobEnd>, 9> kEnds = {{
    {"EXITED", JobEnd::exited},
    {"SIGNALLED", JobEnd::signalled},
    {"TIMED_OUT", JobEnd::timed_out},
    {"SILENT", JobEnd::silent},
    {"MEMORY_EXCEEDED", JobEnd::memory_exceeded},
    {"DISK_EXCEEDED", JobEnd::disk_exceeded},
    {"STOPPED", JobEnd::stopped},
    {"NOT_STARTED", JobEnd::not_started},
    {"REFUSED", JobEnd::refused},
}};

json::array to_array(const std::vector<fs::path>& paths) {
  json::array list;
  for (const fs::path& path : paths) list.emplace_back(path.string());
  return list;
}

json::array to_array(const std::vector<Placed>& all) {
  json::array list;
  for (const Placed& one : all) {
    list.push_back({{"source", one.source.string()}, {"place", one.place.string()}});
  }
  return list;
}

json::array to_array(const std::vector<Linked>& all) {
  json::array list;
  for (const Linked& one : all) {
    list.push_back({{"place", one.place.string()}, {"target", one.target.string()}});
  }
  return list;
}

std::vector<std::uint16_t> ports_of(const base::JsonReader& reader, std::string_view key) {
  std::vector<std::uint16_t> ports;
  const auto* list = reader.optional_array(key);
  if (list == nullptr) return ports;
  for (const json::value& port : *list) {
    if (!port.is_int64() || port.get_int64() < 1 || port.get_int64() > 65'535) {
      reader.fail(key, "must be numbers from 1 to 65535");
    }
    ports.push_back(static_cast<std::uint16_t>(port.get_int64()));
  }
  return ports;
}

std::vector<fs::path> paths_of(const base::JsonReader& reader, std::string_view key) {
  std::vector<fs::path> paths;
  for (std::string& path : reader.strings(key)) paths.emplace_back(std::move(path));
  return paths;
}

std::uint64_t size_of(const base::JsonReader& reader, std::string_view key) {
  return static_cast<std::uint64_t>(reader.optional_integer(key, 0, INT64_MAX).value_or(0));
}

json::object limits_of(const Limits& limits) {
  return {{"memoryBytes", limits.memory_bytes},
          {"reservedBytes", limits.reserved_bytes},
          {"diskBytes", limits.disk_bytes},
          {"processes", limits.processes},
          {"cpus", limits.cpus}};
}

}  // namespace

std::string to_text(const JobOrder& order) {
  json::object environment;
  for (const auto& [name, value] : order.command.environment) environment[name] = value;
  json::object document{
      {"id", order.id},
      {"execution", order.execution},
      {"task", order.task},
      {"executionArn", order.execution_arn},
      {"state", order.state},
      {"logGroup", order.log_group},
      {"logStream", order.log_stream},
      {"arguments", json::array(order.command.arguments.begin(), order.command.arguments.end())},
      {"environment", std::move(environment)},
      {"readOnly", to_array(order.rules.read_only)},
      {"placed", to_array(order.rules.placed)},
      {"links", to_array(order.rules.links)},
      {"hidden", to_array(order.rules.hidden)},
      {"ports", json::array(order.rules.ports.begin(), order.rules.ports.end())},
      {"served", json::array(order.rules.served.begin(), order.rules.served.end())},
      {"relayAddress", order.relay_address},
      {"relayPort", order.relay_port},
      {"directory", order.command.directory},
      {"cgroup", order.rules.cgroup.string()},
      {"limits", limits_of(order.rules.limits)},
      {"timeoutSeconds", order.timeout.count()},
      {"graceSeconds", order.grace.count()},
      {"logBytes", order.log_bytes}};
  if (order.rules.user) document["user"] = *order.rules.user;
  if (order.heartbeat) document["heartbeatSeconds"] = order.heartbeat->count();
  return base::to_pretty_text(document);
}

JobOrder parse_order(std::string_view text) {
  const json::value document = base::parse_json(text, "a job's order");
  const base::JsonReader reader(document, "");
  JobOrder order;
  order.id = reader.required_text("id");
  order.execution = reader.integer("execution");
  order.task = reader.integer("task");
  order.execution_arn = reader.string("executionArn");
  order.state = reader.string("state");
  order.log_group = reader.optional_string("logGroup").value_or("");
  order.log_stream = reader.optional_string("logStream").value_or("");
  order.command.arguments = reader.strings("arguments");
  if (order.command.arguments.empty()) reader.fail("arguments", "is missing or empty");
  order.command.environment = reader.string_map("environment");
  order.command.directory = reader.optional_string("directory").value_or(kWorkPlace);
  order.rules.read_only = paths_of(reader, "readOnly");
  order.rules.hidden = paths_of(reader, "hidden");
  for (const base::JsonReader& one : reader.children("placed")) {
    order.rules.placed.push_back({one.required_text("source"), one.required_text("place")});
  }
  for (const base::JsonReader& one : reader.children("links")) {
    order.rules.links.push_back({one.required_text("place"), one.required_text("target")});
  }
  order.rules.ports = ports_of(reader, "ports");
  order.rules.served = ports_of(reader, "served");
  order.relay_address = reader.optional_string("relayAddress").value_or("127.0.0.1");
  order.relay_port =
      static_cast<std::uint16_t>(reader.optional_integer("relayPort", 0, 65'535).value_or(0));
  order.rules.cgroup = reader.string("cgroup");
  if (const auto user = reader.optional_integer("user", 1, 4'294'967'294)) {
    order.rules.user = static_cast<uid_t>(*user);
  }
  const base::JsonReader limits = reader.child("limits");
  order.rules.limits = {.memory_bytes = size_of(limits, "memoryBytes"),
                        .reserved_bytes = size_of(limits, "reservedBytes"),
                        .disk_bytes = size_of(limits, "diskBytes"),
                        .processes = size_of(limits, "processes"),
                        .cpus = limits.optional_number("cpus").value_or(0)};
  order.timeout = std::chrono::seconds(
      reader.optional_integer("timeoutSeconds", 1, 99'999'999).value_or(order.timeout.count()));
  order.grace = std::chrono::seconds(
      reader.optional_integer("graceSeconds", 0, 99'999'999).value_or(order.grace.count()));
  if (const auto heartbeat = reader.optional_integer("heartbeatSeconds", 1, 99'999'999)) {
    order.heartbeat = std::chrono::seconds(*heartbeat);
  }
  order.log_bytes = size_of(reader, "logBytes");
  return order;
}

std::string to_text(const JobResult& result) {
  std::string_view end;
  for (const auto& [name, value] : kEnds) {
    if (value == result.end) end = name;
  }
  return base::to_pretty_text({{"end", end},
                               {"code", result.code},
                               {"message", result.message},
                               {"startedMs", base::to_epoch_millis(result.started)},
                               {"stoppedMs", base::to_epoch_millis(result.stopped)}});
}

JobResult parse_result(std::string_view text) {
  constexpr std::int64_t kLatest = 253'402'300'799'999;  // the year 9999
  const json::value document = base::parse_json(text, "a job's result");
  const base::JsonReader reader(document, "");
  const auto end = reader.choice("end", kEnds);
  if (!end) reader.fail("end", "is missing");
  const auto time = [&](std::string_view key) {
    return base::from_epoch_millis(reader.optional_integer(key, 0, kLatest).value_or(0));
  };
  return {.end = *end,
          .code = static_cast<int>(reader.optional_integer("code", 0, 255).value_or(0)),
          .message = reader.string("message"),
          .started = time("startedMs"),
          .stopped = time("stoppedMs")};
}

}  // namespace andon::job

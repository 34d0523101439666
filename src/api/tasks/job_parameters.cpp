// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/job_parameters.hpp"

#include <algorithm>
#include <set>

#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::JsonReader;

constexpr std::size_t kMostWords = 1000;
constexpr std::size_t kMostCommandBytes = 128U << 10U;  // words and environment together
constexpr std::size_t kMostVariables = 200;
constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostPathBytes = 1024;
constexpr std::size_t kMostPorts = 100;
constexpr std::int64_t kMostSeconds = 99'999'999;
constexpr std::int64_t kMostMib = 1LL << 30U;  // a pebibyte
constexpr std::int64_t kMostProcesses = 100'000;
constexpr double kMostCpus = 4096;

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

void read_command(const JsonReader& reader, job::Command& command) {
  command.arguments = reader.strings("Command", kMostWords + 1);
  if (command.arguments.empty() || command.arguments.front().empty()) {
    reader.fail("Command", "must be a list of texts: a program and its arguments");
  }
  if (command.arguments.size() > kMostWords) {
    reader.fail("Command", "has more than " + std::to_string(kMostWords) + " words");
  }
  for (const auto& [name, value] : reader.string_map("Environment")) {
    if (name.empty() || name.find('=') != std::string::npos || name.starts_with("ANDON_")) {
      reader.fail("Environment", "has '" + name.substr(0, 100) +
                                     "', which is no name for a variable of yours (ANDON_... is "
                                     "kept for andon's own)");
    }
    command.environment[name] = value;
  }
  if (command.environment.size() > kMostVariables) {
    reader.fail("Environment", "has more than " + std::to_string(kMostVariables) + " variables");
  }
  std::size_t bytes = 0;
  const auto count = [&](const char* key, const std::string& text) {
    if (has_nul(text)) reader.fail(key, "has a text with a NUL character");
    bytes += text.size();
  };
  for (const std::string& word : command.arguments) count("Command", word);
  for (const auto& [name, value] : command.environment) {
    count("Environment", name);
    count("Environment", value);
  }
  if (bytes > kMostCommandBytes) {
    reader.fail("Command", "and Environment have more than " + std::to_string(kMostCommandBytes) +
                               " bytes together; give an input instead");
  }
}

// Below /job, and nowhere else.
void check_path(const JsonReader& reader, std::string_view key, const std::string& path) {
  const auto parts = base::split(path, '/');
  const bool is_good = !path.empty() && path.size() <= kMostPathBytes && !has_nul(path) &&
                       std::ranges::none_of(parts, [](std::string_view part) {
                         return part.empty() || part == "." || part == ".." || part.size() > 255;
                       });
  if (!is_good) {
    reader.fail(key, "has '" + path.substr(0, 100) +
                         "', which is no path below the job's directory, such as data/a.txt");
  }
}

ObjectName read_object(const JsonReader& reader) {
  return {.bucket = reader.required_text("Bucket"), .key = reader.required_text("Key")};
}

const json::object& files_of(const JsonReader& reader, std::string_view key) {
  static const json::object none;
  const auto* files = reader.optional_object(key);
  if (files == nullptr) return none;
  if (files->size() > kMostFiles) {
    reader.fail(key, "has more than " + std::to_string(kMostFiles) + " files");
  }
  return *files;
}

void read_inputs(const JsonReader& reader, std::vector<JobInput>& inputs) {
  for (const auto& member : files_of(reader, "Inputs")) {
    JobInput input{.path = member.key(), .content = {}};
    check_path(reader, "Inputs", input.path);
    const JsonReader one(member.value(), reader.place("Inputs") + "." + input.path);
    if (const auto* value = member.value().as_object().if_contains("Value")) {
      one.allow_only({"Value"});
      input.content = value->is_string() ? std::string(value->get_string()) : base::to_text(*value);
    } else {
      one.allow_only({"Bucket", "Key"});
      input.content = read_object(one);
    }
    inputs.push_back(std::move(input));
  }
}

void read_outputs(const JsonReader& reader, std::vector<JobOutput>& outputs) {
  for (const auto& member : files_of(reader, "Outputs")) {
    const std::string path = member.key();
    check_path(reader, "Outputs", path);
    const JsonReader one(member.value(), reader.place("Outputs") + "." + path);
    one.allow_only({"Bucket", "Key", "Optional"});
    outputs.push_back({.path = path,
                       .object = read_object(one),
                       .presence = one.optional_bool("Optional").value_or(false)
                                       ? Presence::optional
                                       : Presence::required});
  }
}

void read_limits(const JsonReader& reader, job::SandboxRules& rules) {
  const auto mib = [&](std::string_view key, std::uint64_t& bytes) {
    if (const auto value = reader.optional_integer(key, 1, kMostMib)) {
      bytes = static_cast<std::uint64_t>(*value) << 20U;
    }
  };
  mib("MemoryMiB", rules.limits.memory_bytes);
  mib("DiskMiB", rules.limits.disk_bytes);
  if (const auto processes = reader.optional_integer("Processes", 1, kMostProcesses)) {
    rules.limits.processes = static_cast<std::uint64_t>(*processes);
  }
  if (const auto cpus = reader.optional_number("Cpus")) {
    if (!(*cpus > 0 && *cpus <= kMostCpus)) reader.fail("Cpus", "must be more than 0");
    rules.limits.cpus = *cpus;
  }
  const auto* ports = reader.optional_array("Ports");
  if (ports == nullptr) return;
  if (ports->size() > kMostPorts) {
    reader.fail("Ports", "has more than " + std::to_string(kMostPorts) + " ports");
  }
  for (const json::value& port : *ports) {
    if (!port.is_int64() || port.get_int64() < 1 || port.get_int64() > 65'535) {
      reader.fail("Ports", "must be numbers from 1 to 65535");
    }
    rules.ports.push_back(static_cast<std::uint16_t>(port.get_int64()));
  }
}

}  // namespace

JobParameters read_job_parameters(const json::value& parameters) {
  const JsonReader reader(parameters, "Parameters");
  reader.allow_only({"Command", "Environment", "Inputs", "Outputs", "TimeoutSeconds",
                     "HeartbeatSeconds", "MemoryMiB", "DiskMiB", "Processes", "Cpus", "Ports"});
  JobParameters job;
  read_command(reader, job.order.command);
  read_inputs(reader, job.inputs);
  read_outputs(reader, job.outputs);
  read_limits(reader, job.order.rules);
  if (const auto timeout = reader.optional_integer("TimeoutSeconds", 1, kMostSeconds)) {
    job.order.timeout = std::chrono::seconds(*timeout);
  }
  if (const auto heartbeat = reader.optional_integer("HeartbeatSeconds", 1, kMostSeconds)) {
    job.order.heartbeat = std::chrono::seconds(*heartbeat);
  }
  return job;
}

}  // namespace andon::api

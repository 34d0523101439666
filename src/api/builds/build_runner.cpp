// SPDX-License-Identifier: Apache-2.0
#include "api/builds/build_runner.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "api/builds/codebuild.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "workflow/jobs/job_place.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using builds::Build;

constexpr std::size_t kMostState = 1U << 20U;  // of a file that a build leaves for the server
constexpr std::int64_t kMillis = 1'000;
constexpr int kArtifactsMissing = 2;  // exit code of the script (builds/spec)

double seconds_of(std::int64_t millis) {
  return static_cast<double>(millis) / static_cast<double>(kMillis);
}

json::object phase_of(std::string_view name, std::string_view status, std::int64_t started_ms,
                      std::int64_t ended_ms) {
  json::object phase{{"phaseType", name}, {"startTime", seconds_of(started_ms)}};
  if (ended_ms > 0) {
    phase["endTime"] = seconds_of(ended_ms);
    phase["durationInSeconds"] = std::max<std::int64_t>(0, ended_ms - started_ms) / kMillis;
    phase["phaseStatus"] = status;
    phase["contexts"] = json::array();
  }
  return phase;
}

json::array context_of(std::string_view code, const std::string& message) {
  return {json::object{{"statusCode", code}, {"message", message}}};
}

std::string read_state(const job::JobDirectory& directory, const char* name) {
  const base::UniqueFd file = directory.open_plain(name);
  if (!file) return {};
  std::string text(kMostState, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.get(), text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

// Those of the sandbox, as it has written them.
void add_phases(json::array& phases, const std::vector<builds::PhaseEnd>& ends) {
  for (const builds::PhaseEnd& one : ends) {
    json::object phase =
        phase_of(one.phase, one.code == 0 ? "SUCCEEDED" : "FAILED", one.started_ms, one.ended_ms);
    if (one.code != 0) {
      phase["contexts"] = context_of("COMMAND_EXECUTION_ERROR",
                                     "Error while executing command: " + one.command +
                                         ". Reason: exit status " + std::to_string(one.code));
    }
    phases.push_back(std::move(phase));
  }
}

json::array phases_of(const Build& build) {
  const auto* phases = build.record.if_contains("phases");
  return phases != nullptr && phases->is_array() ? phases->get_array() : json::array();
}

// What stands of a directory that a job has made: no link.
bool is_plain_directory(const base::fs::path& path) {
  return base::fs::is_directory(base::fs::symlink_status(path));
}

std::string words_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const workflow::TaskFailure& told) {
    return told.cause();
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

std::string record_text(const json::object& record, std::string_view member,
                        std::string_view inner) {
  const auto* value = record.if_contains(member);
  if (value != nullptr && !inner.empty()) {
    value = value->is_object() ? value->get_object().if_contains(inner) : nullptr;
  }
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string stream_of(const Build& build) {
  const std::string prefix = record_text(build.record, "logs", "streamPrefix");
  return prefix.empty() ? build.id : prefix + "/" + build.id;
}

void BuildRunner::resume() {
  for (const Build& build : parts_.builds.open()) {
    try {
      order(build);
    } catch (...) {
      fail(build.id, std::current_exception());
    }
  }
}

control::RoleUse BuildRunner::role_of(const Build& build) const {
  return {.role_arn = record_text(build.record, "serviceRole"),
          .session = build.project,
          .service = control::kBuildsService,
          .source_arn = builds::project_arn(parts_.arns, build.project)};
}

Caller BuildRunner::caller_of(const Build& build) const {
  return parts_.calls.as_role(role_of(build));
}

job::JobOrder BuildRunner::order_of(const Build& build) const {
  const auto number_of = [&build](std::string_view member, std::int64_t standard) {
    const auto* value = build.record.if_contains(member);
    return value != nullptr && value->is_int64() ? value->get_int64() : standard;
  };
  constexpr std::int64_t kStandardMinutes = 60;
  job::JobOrder order;
  order.id = build.id;
  order.execution_arn = builds::build_arn(parts_.arns, build);
  order.state = build.project;
  order.log_group = record_text(build.record, "logs", "groupName");
  order.log_stream = stream_of(build);
  order.command.arguments = {"sh", std::string(job::kWorkPlace) + "/" + builds::kScriptFile};
  order.timeout = std::chrono::minutes(number_of("timeoutInMinutes", kStandardMinutes));
  order.rules.read_only = parts_.policy.read_only;
  order.rules.hidden = parts_.policy.hidden;
  order.rules.cgroup = parts_.policy.cgroup;
  // A builder of AWS has a network: one has here what any job may ask for.
  order.rules.ports = parts_.policy.ports;
  order.rules.limits.memory_bytes = static_cast<std::uint64_t>(number_of("memoryMiB", 4'096))
                                    << 20U;
  const std::string source = std::string(job::kWorkPlace) + "/" + builds::kSourceDirectory;
  order.command.environment = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", job::kWorkPlace}, {"LANG", "C.UTF-8"},
      {"TMPDIR", job::kTemporaryPlace},         {"USER", "build"},         {"LOGNAME", "build"}};
  const std::pair<const char*, std::string> own[] = {
      {"CI", "true"},
      {"AWS_REGION", parts_.arns.region()},
      {"AWS_DEFAULT_REGION", parts_.arns.region()},
      {"CODEBUILD_BUILD_ARN", order.execution_arn},
      {"CODEBUILD_BUILD_ID", build.project + ":" + build.id},
      {"CODEBUILD_BUILD_IMAGE", record_text(build.record, "environment", "image")},
      {"CODEBUILD_BUILD_NUMBER", std::to_string(build.number)},
      {"CODEBUILD_INITIATOR", record_text(build.record, "initiator")},
      {"CODEBUILD_LOG_PATH", order.log_stream},
      {"CODEBUILD_SOURCE_REPO_URL", record_text(build.record, "source", "location")},
      {"CODEBUILD_SOURCE_VERSION", record_text(build.record, "sourceVersion")},
      {"CODEBUILD_SRC_DIR", source},
      {"CODEBUILD_START_TIME", std::to_string(base::to_epoch_millis(build.started))}};
  for (const auto& [name, value] : own) order.command.environment[name] = value;
  return order;
}

void BuildRunner::order(const Build& build) {
  const std::string id = build.id;
  workflow::JobRunner::Watcher watcher;
  watcher.prepare = [this, id](const job::JobDirectory& directory) { prepare(id, directory); };
  watcher.ended = [this, id](const job::JobDirectory& directory,
                             const std::optional<job::JobResult>& result) {
    end(id, directory, result);
  };
  watcher.failed = [this, id](const std::exception_ptr& failure) { fail(id, failure); };
  parts_.jobs.order(order_of(build), std::move(watcher));
}

std::optional<Build> BuildRunner::stop(const std::string& id) {
  // Its end comes to a build that is over already, and changes nothing.
  auto stopped = parts_.builds.note(id, [this](Build& build) {
    build.status = "STOPPED";
    build.record = describe(build);
    json::array phases = phases_of(build);
    const std::int64_t now = base::to_epoch_millis(parts_.clock.now());
    for (json::value& phase : phases) {
      if (phase.as_object().contains("endTime")) continue;
      phase.as_object()["endTime"] = seconds_of(now);
      phase.as_object()["phaseStatus"] = "STOPPED";
    }
    phases.push_back(phase_of("COMPLETED", "STOPPED", now, 0));
    build.record["phases"] = std::move(phases);
    build.record["currentPhase"] = "COMPLETED";
  });
  parts_.jobs.end(id);
  if (stopped) tell(id, stopped);
  return parts_.builds.find_build(id);
}

void BuildRunner::when_over(const std::string& id, std::function<void(std::optional<Build>)> told) {
  {
    const std::lock_guard lock(mutex_);
    waiting_[id].push_back(std::move(told));
  }
  // It may have ended meanwhile, and told those who were there.
  const auto build = parts_.builds.find_build(id);
  if (!build || build->is_over()) tell(id, build);
}

void BuildRunner::tell(const std::string& id, const std::optional<Build>& build) {
  std::vector<std::function<void(std::optional<Build>)>> all;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    all = std::move(found->second);
    waiting_.erase(found);
  }
  for (const auto& told : all) told(build);
}

std::optional<workflow::JobRunner::Standing> BuildRunner::standing(
    const job::JobOrder& order) const {
  using Standing = workflow::JobRunner::Standing;
  if (!order.execution_arn.starts_with("arn:aws:codebuild:")) return std::nullopt;
  const auto build = parts_.builds.find_build(order.id);
  if (!build) return Standing::forgotten;
  return build->is_over() ? Standing::over : Standing::open;
}

json::object BuildRunner::describe(const Build& build) const {
  json::object record = build.record;
  const auto* phase = record.if_contains("currentPhase");
  const bool has_begun = phase != nullptr && *phase == "INSTALL";
  if (build.ended || !has_begun) return record;
  const job::JobDirectory directory(parts_.jobs_directory / build.id);
  if (!is_plain_directory(directory.work())) return record;
  const auto ends = builds::read_phases(read_state(directory, builds::kPhasesFile));
  json::array phases = phases_of(build);
  add_phases(phases, ends);
  if (!ends.empty()) record["currentPhase"] = ends.back().phase;
  record["phases"] = std::move(phases);
  return record;
}

void BuildRunner::prepare(const std::string& id, const job::JobDirectory& directory) {
  const auto found = parts_.builds.find_build(id);
  if (!found || found->is_over()) {
    throw Error(ErrorCode::not_found, "the build is over before it has begun");
  }
  const Build& build = *found;
  const std::int64_t begun = base::to_epoch_millis(parts_.clock.now());
  const auto note_phases = [&](std::int64_t ended, const std::string& resolved) {
    parts_.builds.note(id, [&](Build& noted) {
      const std::int64_t started = base::to_epoch_millis(noted.started);
      noted.record["phases"] = json::array{phase_of("SUBMITTED", "SUCCEEDED", started, started),
                                           phase_of("QUEUED", "SUCCEEDED", started, begun),
                                           phase_of("PROVISIONING", "SUCCEEDED", begun, begun),
                                           phase_of("DOWNLOAD_SOURCE", "SUCCEEDED", begun, ended)};
      noted.record["currentPhase"] = ended > 0 ? "INSTALL" : "DOWNLOAD_SOURCE";
      if (!resolved.empty()) noted.record["resolvedSourceVersion"] = resolved;
    });
  };
  note_phases(0, {});
  const Caller caller = caller_of(build);
  const base::fs::path source = directory.work() / builds::kSourceDirectory;
  std::string resolved;
  take_source(build, caller, source, resolved);
  const builds::BuildSpec spec = spec_of(build, directory);
  std::map<std::string, std::string> variables = variables_of(build, spec, caller);
  if (!resolved.empty()) variables["CODEBUILD_RESOLVED_SOURCE_VERSION"] = resolved;
  if (parts_.sdk_variables) {
    const auto* minutes = build.record.if_contains("timeoutInMinutes");
    const std::chrono::seconds lifetime = std::chrono::minutes(
        minutes != nullptr && minutes->is_int64() ? minutes->get_int64() + 5 : 65);
    for (auto& [name, value] : parts_.sdk_variables(
             role_of(build),
             std::min<std::chrono::seconds>(lifetime, control::RoleSessions::kLongest))) {
      variables.try_emplace(name, std::move(value));
    }
  }
  base::make_directories(directory.work() / builds::kStateDirectory, 0700);
  for (const auto& [name, text] : builds::scripts_of(spec, variables)) {
    const base::UniqueFd file =
        base::open_file(directory.work() / name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    base::write_all(file.get(), text, directory.work() / name);
  }
  workflow::give_to_job(directory);
  note_phases(base::to_epoch_millis(parts_.clock.now()), resolved);
}

void BuildRunner::end(const std::string& id, const job::JobDirectory& directory,
                      const std::optional<job::JobResult>& result) {
  auto build = parts_.builds.find_build(id);
  if (!build || build->is_over()) return tell(id, build);
  const std::int64_t now = base::to_epoch_millis(parts_.clock.now());
  json::array phases = phases_of(*build);
  std::string status = "SUCCEEDED";
  std::string why;
  std::string code = "BUILD_ERROR";
  if (!result || result->end == job::JobEnd::stopped) {
    status = "FAULT";
    code = "BUILD_LOST";
    why = "the build was ended with the server or the machine that it ran on; start it again";
  } else if (result->end == job::JobEnd::timed_out) {
    status = "TIMED_OUT";
    code = "BUILD_TIMED_OUT";
    why = "Build has timed out.";
  } else if (result->end != job::JobEnd::exited) {
    status = "FAILED";
    why = result->message;
  } else if (result->code != 0) {
    status = "FAILED";
  }
  const bool has_run = result.has_value() && result->end == job::JobEnd::exited;
  if (is_plain_directory(directory.work())) {
    add_phases(phases, builds::read_phases(read_state(directory, builds::kPhasesFile)));
    const std::string exports = read_state(directory, builds::kExportsFile);
    for (const std::string_view line : base::split(exports, '\n')) {
      const std::size_t equals = line.find('=');
      const auto value = equals == std::string_view::npos
                             ? std::nullopt
                             : base::from_base64(line.substr(equals + 1));
      constexpr std::size_t kMostExports = 100;
      if (!value) continue;
      auto& exported = build->record["exportedEnvironmentVariables"];
      if (!exported.is_array()) exported = json::array();
      if (exported.get_array().size() >= kMostExports) break;
      exported.get_array().push_back(
          json::object{{"name", base::to_valid_utf8(line.substr(0, equals))},
                       {"value", base::to_valid_utf8(*value)}});
    }
  }
  for (json::value& phase : phases) {
    if (phase.as_object().contains("endTime")) continue;
    phase.as_object()["endTime"] = seconds_of(now);
    phase.as_object()["phaseStatus"] = status;
    phase.as_object()["contexts"] = context_of(code, why);
  }
  if (has_run && (result->code == 0 || result->code == kArtifactsMissing)) {
    json::object upload = phase_of("UPLOAD_ARTIFACTS", "SUCCEEDED", now, now);
    try {
      if (result->code == kArtifactsMissing) {
        throw Error(ErrorCode::not_found,
                    "the artifacts could not be collected: see the end of the log");
      }
      store_artifacts(*build, directory);
    } catch (const std::exception&) {
      status = "FAILED";
      upload["phaseStatus"] = status;
      upload["contexts"] = context_of("CLIENT_ERROR", words_of(std::current_exception()));
    }
    phases.push_back(std::move(upload));
  }
  const std::int64_t last = base::to_epoch_millis(parts_.clock.now());
  phases.push_back(phase_of("FINALIZING", "SUCCEEDED", last, last));
  phases.push_back(phase_of("COMPLETED", status, last, 0));
  const auto over = parts_.builds.note(id, [&](Build& noted) {
    noted.status = status;
    noted.record = build->record;
    noted.record["phases"] = phases;
    noted.record["currentPhase"] = "COMPLETED";
  });
  tell(id, over ? over : parts_.builds.find_build(id));
}

void BuildRunner::fail(const std::string& id, const std::exception_ptr& failure) {
  const std::string why = words_of(failure);
  const std::int64_t now = base::to_epoch_millis(parts_.clock.now());
  try {
    const auto over = parts_.builds.note(id, [&](Build& build) {
      json::array phases = phases_of(build);
      if (phases.empty()) {
        phases.push_back(
            phase_of("DOWNLOAD_SOURCE", "FAILED", base::to_epoch_millis(build.started), 0));
      }
      json::object& last = phases.back().as_object();
      last["endTime"] = seconds_of(now);
      last["durationInSeconds"] = 0;
      last["phaseStatus"] = "FAILED";
      last["contexts"] =
          context_of(why.starts_with("YAML_FILE_ERROR") ? "YAML_FILE_ERROR" : "CLIENT_ERROR", why);
      phases.push_back(phase_of("COMPLETED", "FAILED", now, 0));
      build.status = "FAILED";
      build.record["phases"] = std::move(phases);
      build.record["currentPhase"] = "COMPLETED";
    });
    tell(id, over ? over : parts_.builds.find_build(id));
  } catch (const std::exception& error) {
    base::log_error("how a build ended is not noted",
                    {{"build", id}, {"error", std::string(error.what())}, {"reason", why}});
  }
}

}  // namespace andon::api

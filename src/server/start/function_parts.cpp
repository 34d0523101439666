// SPDX-License-Identifier: Apache-2.0
#include "server/start/function_parts.hpp"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "events/rules/target_kind.hpp"
#include "server/broker/listening_port.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;

// A sandbox is made anew before they end.
constexpr std::chrono::seconds kKeysLifetime = std::chrono::hours(1);
constexpr const char* kRecords = "records";

functions::RoleCredentials credentials_of(const control::Iam& iam, const fleet::Arns& arns,
                                          const functions::SandboxPlan& plan) {
  const control::AccessKey key =
      iam.roles.credentials({.role_arn = plan.role,
                             .session = plan.function,
                             .service = control::kFunctionsService,
                             .source_arn = functions::function_arn(arns, plan.function)},
                            kKeysLifetime);
  return {.access_key_id = key.id,
          .secret_access_key = key.secret,
          .session_token = key.session_token,
          .expires = key.expires.value()};
}

std::string reachable_address(const std::string& listening) {
  if (listening == "0.0.0.0" || listening == "localhost") return "127.0.0.1";
  return listening == "::" ? "::1" : listening;
}

}  // namespace

// What jobs are kept by stands beside this program.
base::fs::path find_job_keeper() {
  constexpr std::string_view kName = "andon-job";
  const base::fs::path here = base::fs::read_symlink("/proc/self/exe").parent_path();
  for (const base::fs::path& candidate : {here / kName, here / "../lib/andon" / kName}) {
    if (access(candidate.c_str(), X_OK) == 0) return base::fs::canonical(candidate);
  }
  return here / kName;  // a job says that it is missing
}

void FunctionLog::ensure(const std::string& group) {
  if (logs_.find_group(group)) return;
  try {
    logs_.create_group({.name = group});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::already_exists) throw;
  }
}

void FunctionLog::write(const std::string& group, const std::string& stream, base::Timestamp time,
                        std::string line) {
  try {
    lines_.write(group, stream, {time, std::move(line)});
  } catch (const std::exception& error) {
    base::log_warning("a function's output is not in its log group",
                      {{"group", group}, {"error", std::string(error.what())}});
  }
}

void FunctionLog::set_bus(PutOnBus put_on_bus) {
  const std::lock_guard lock(mutex_);
  put_on_bus_ = std::move(put_on_bus);
}

void FunctionLog::put(const std::string& arn, base::Timestamp time, const std::string& text) {
  if (const auto target = events::target_ref(arn);
      target && target->kind == events::TargetKind::bus) {
    PutOnBus put;
    {
      const std::lock_guard lock(mutex_);
      put = put_on_bus_;
    }
    if (!put) throw Error(ErrorCode::unavailable, "the event bus is not there yet");
    put(target->resource, text);
    return;
  }
  const auto ref = fleet::parse_log_group_arn(arn);
  if (!ref) throw Error(ErrorCode::not_found, arn + " is no log group");
  try {
    logs_.create_stream(ref->name, kRecords);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::already_exists) throw;
  }
  logs_.put(ref->name, kRecords, {{time, text}});
}

functions::Functions::Parts function_parts(const FunctionSite& site, store::Database& database,
                                           store::ObjectStore& objects, control::Iam& iam,
                                           FunctionLog& log, const base::Clock& clock) {
  const ServerOptions& options = site.options;
  const fleet::Arns arns(options.region);
  const base::fs::path home = site.data / "functions";
  base::make_directories(home, 0700);
  functions::SandboxOptions sandboxes{
      .directory = home / "sandboxes",
      .program = site.keeper,
      .site = {.region = options.region,
               .runtime = {},
               .python_packages = options.functions.python,
               .hidden = {site.data},
               .cgroup = options.jobs.cgroup,
               .api_address = reachable_address(options.api_address),
               .api_port = site.ports.api,
               .is_api_tls = !is_loopback(options.api_address)},
      .ca_pem = site.ca_pem,
      .most = static_cast<std::size_t>(options.functions.at_once),
      .keep_idle = std::chrono::seconds(options.functions.idle_seconds),
      .first_user = options.functions.first_user,
      .credentials =
          [&iam, &log, arns](const functions::SandboxPlan& plan) {
            log.ensure(plan.log_group);
            return credentials_of(iam, arns, plan);
          },
      .write_line = [&log](const std::string& group, const std::string& stream,
                           base::Timestamp time,
                           std::string line) { log.write(group, stream, time, std::move(line)); }};
  return {.database = database,
          .objects = objects,
          .clock = clock,
          .arns = arns,
          .packages = {.directory = home / "packages",
                       .installs_requirements = options.functions.installs_requirements,
                       .pip_config = options.functions.pip_config.empty()
                                         ? base::fs::path()
                                         : base::fs::absolute(options.functions.pip_config)},
          .sandboxes = std::move(sandboxes),
          .write_record = [&log, &clock](const std::string& arn, const std::string& text) {
            log.put(arn, clock.now(), text);
          }};
}

}  // namespace andon::server

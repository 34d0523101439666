// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/order.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace andon::functions {
namespace {

constexpr std::uint64_t kProcesses = 256;
constexpr const char* kProgram = "bootstrap";  // of provided.*
// A thread's stack is 8 MiB that it hardly uses.
constexpr std::uint64_t kReserved = 128ULL << 20U;

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
constexpr std::array<std::string_view, 24> kReservedVariables = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API"};

std::string local(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

bool is_reserved_variable(std::string_view name) {
  return std::ranges::find(kReservedVariables, name) != kReservedVariables.end();
}

bool is_python(std::string_view runtime) {
  constexpr std::string_view kStart = "python3.";
  if (!runtime.starts_with(kStart) || runtime.size() > kStart.size() + 2) return false;
  const std::string_view minor = runtime.substr(kStart.size());
  return !minor.empty() && minor.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_known_runtime(std::string_view runtime) {
  return is_python(runtime) || runtime == "provided" || runtime == "provided.al2" ||
         runtime == "provided.al2023";
}

job::JobOrder order_of(const SandboxPlan& plan, const SandboxSite& site,
                       const RoleCredentials& credentials, const std::string& stream) {
  job::JobOrder order;
  order.id = stream;
  order.execution_arn = plan.function;
  order.state = plan.version;
  // What its owner says may stand for what is no reserved name.
  std::map<std::string, std::string> environment = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"},
      {"LANG", "C.UTF-8"},
      {"TZ", ":UTC"},
      {"HOME", job::kTemporaryPlace},
      {"LD_LIBRARY_PATH", "/var/task:/var/task/lib:/opt/lib"},
      {"PYTHONDONTWRITEBYTECODE", "1"},
      {"AWS_ENDPOINT_URL", (site.is_api_tls ? "https://" : "http://") + local(kApiPort)}};
  if (site.is_api_tls) {
    environment["AWS_CA_BUNDLE"] = std::string(kRuntimePlace) + "/ca.pem";
  }
  for (const auto& [name, value] : plan.environment) environment[name] = value;
  const std::string own_path = environment["PYTHONPATH"];
  environment["PYTHONPATH"] =
      own_path.empty() ? kRuntimePlace : std::string(kRuntimePlace) + ":" + own_path;
  const std::pair<const char*, std::string> given[] = {
      {"AWS_ACCESS_KEY_ID", credentials.access_key_id},
      {"AWS_SECRET_ACCESS_KEY", credentials.secret_access_key},
      {"AWS_SESSION_TOKEN", credentials.session_token},
      {"AWS_REGION", site.region},
      {"AWS_DEFAULT_REGION", site.region},
      {"AWS_EXECUTION_ENV", "AWS_Lambda_" + plan.runtime},
      {"AWS_LAMBDA_FUNCTION_NAME", plan.function},
      {"AWS_LAMBDA_FUNCTION_VERSION", plan.version},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(plan.memory_mib)},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
      {"AWS_LAMBDA_LOG_GROUP_NAME", plan.log_group},
      {"AWS_LAMBDA_LOG_STREAM_NAME", stream},
      {"AWS_LAMBDA_RUNTIME_API", local(kRuntimePort)},
      {"LAMBDA_TASK_ROOT", kTaskRoot},
      {"LAMBDA_RUNTIME_DIR", kRuntimePlace},
      {"_HANDLER", plan.handler}};
  for (const auto& [name, value] : given) environment[name] = value;
  order.command.environment = std::move(environment);
  order.command.directory = kTaskRoot;
  if (is_python(plan.runtime)) {
    // -X utf8: whatever the function's owner says of LANG.
    order.command.arguments = {"python3", "-X", "utf8",
                               std::string(kRuntimePlace) + "/bootstrap.py"};
  } else {
    // A runtime may come as a layer.
    const bool is_layer = !plan.layers.empty() && !fs::exists(plan.package / kProgram) &&
                          fs::exists(plan.layers / kProgram);
    order.command.arguments = {std::string(is_layer ? kLayersPlace : kTaskRoot) + "/" + kProgram};
  }
  order.rules.placed = {{plan.package, kTaskRoot}, {site.runtime, kRuntimePlace}};
  if (!plan.layers.empty()) order.rules.placed.push_back({plan.layers, kLayersPlace});
  if (!plan.requirements.empty()) {
    order.rules.placed.push_back({plan.requirements, kRequirementsPlace});
  }
  if (!site.python_packages.empty()) {
    order.rules.placed.push_back({site.python_packages, kPythonPlace});
  }
  order.rules.hidden = site.hidden;
  order.rules.cgroup = site.cgroup;
  order.rules.served = {kRuntimePort, kApiPort};
  order.relay_address = site.api_address;
  order.relay_port = site.api_port;
  order.rules.limits = {.memory_bytes = static_cast<std::uint64_t>(plan.memory_mib) << 20U,
                        .reserved_bytes = kReserved,
                        .disk_bytes = static_cast<std::uint64_t>(plan.ephemeral_mib) << 20U,
                        .processes = kProcesses,
                        .cpus = 0};
  return order;
}

}  // namespace andon::functions

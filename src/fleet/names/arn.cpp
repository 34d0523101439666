// SPDX-License-Identifier: Apache-2.0
#include "fleet/names/arn.hpp"

#include <algorithm>
#include <vector>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::fleet {
namespace {

struct ArnParts {
  std::string_view service;
  std::string_view resource;  // everything after the account
};

// arn:<partition>:<service>:<region>:<account>:<resource>
std::optional<ArnParts> split_arn(std::string_view arn) {
  std::vector<std::string_view> parts;
  std::string_view rest = arn;
  for (int i = 0; i < 5; ++i) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts.push_back(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || rest.empty()) return std::nullopt;
  return ArnParts{parts[2], rest};
}

}  // namespace

std::string Arns::make(std::string_view service, std::string_view resource) const {
  std::string arn = "arn:aws:";
  arn.append(service).append(":").append(region_).append(":").append(account_);
  return arn.append(":").append(resource);
}

std::string Arns::thing(std::string_view name) const {
  return make("iot", "thing/" + std::string(name));
}
std::string Arns::thing_group(std::string_view name) const {
  return make("iot", "thinggroup/" + std::string(name));
}
std::string Arns::certificate(std::string_view id) const {
  return make("iot", "cert/" + std::string(id));
}
std::string Arns::job(std::string_view id) const {
  return make("iot", "job/" + std::string(id));
}
std::string Arns::component(std::string_view name) const {
  return make("greengrass", "components:" + std::string(name));
}
std::string Arns::component_version(std::string_view name, std::string_view version) const {
  return component(name) + ":versions:" + std::string(version);
}
std::string Arns::deployment(std::string_view id) const {
  return make("greengrass", "deployments:" + std::string(id));
}
std::string Arns::core_device(std::string_view thing) const {
  return make("greengrass", "coreDevices:" + std::string(thing));
}
std::string Arns::log_group(std::string_view name) const {
  return make("logs", "log-group:" + std::string(name));
}
std::string Arns::connection(std::string_view name, std::string_view id) const {
  return make("events", "connection/" + std::string(name) + "/" + std::string(id));
}
std::string Arns::target(std::string_view target) const {
  return make("iot", target);
}
std::string Arns::configuration(std::string_view target, std::int64_t revision) const {
  return make("greengrass",
              "configuration:" + std::string(target) + ":" + std::to_string(revision));
}

std::string Target::key() const {
  return (kind == Kind::thing ? "thing/" : "thinggroup/") + name;
}

std::optional<Target> parse_target_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view kind = key.substr(0, slash);
  const std::string_view name = key.substr(slash + 1);
  if (!is_thing_name(name)) return std::nullopt;
  if (kind == "thing") return Target{Target::Kind::thing, std::string(name)};
  if (kind == "thinggroup") return Target{Target::Kind::thing_group, std::string(name)};
  return std::nullopt;
}

std::optional<Target> parse_target_arn(std::string_view arn) {
  const std::optional<ArnParts> parts = split_arn(arn);
  if (!parts || parts->service != "iot") return std::nullopt;
  return parse_target_key(parts->resource);
}

std::optional<std::string> parse_certificate_arn(std::string_view arn) {
  constexpr std::string_view kPrefix = "cert/";
  const std::optional<ArnParts> parts = split_arn(arn);
  if (!parts || parts->service != "iot" || !parts->resource.starts_with(kPrefix)) {
    return std::nullopt;
  }
  return std::string(parts->resource.substr(kPrefix.size()));
}

std::optional<ConfigurationRef> parse_configuration_arn(std::string_view arn) {
  constexpr std::string_view kPrefix = "configuration:";
  const std::optional<ArnParts> parts = split_arn(arn);
  if (!parts || parts->service != "greengrass" || !parts->resource.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const std::string_view rest = parts->resource.substr(kPrefix.size());
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<Target> target = parse_target_key(rest.substr(0, colon));
  const auto revision = base::parse_int64(rest.substr(colon + 1));
  if (!target || !revision) return std::nullopt;
  return ConfigurationRef{*target, *revision};
}

std::string target_of(std::string_view configuration_arn) {
  const auto configuration = parse_configuration_arn(configuration_arn);
  return configuration ? configuration->target.key() : std::string(configuration_arn);
}

std::optional<ComponentRef> parse_component_arn(std::string_view arn) {
  constexpr std::string_view kPrefix = "components:";
  constexpr std::string_view kVersions = ":versions:";
  const std::optional<ArnParts> parts = split_arn(arn);
  if (!parts || parts->service != "greengrass" || !parts->resource.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const std::string_view rest = parts->resource.substr(kPrefix.size());
  const std::size_t versions = rest.find(kVersions);
  const std::string_view name = rest.substr(0, versions);
  if (name.empty() || name.find(':') != std::string_view::npos) return std::nullopt;
  if (versions == std::string_view::npos) return ComponentRef{std::string(name), std::nullopt};
  const std::string_view version = rest.substr(versions + kVersions.size());
  if (version.empty() || version.find(':') != std::string_view::npos) return std::nullopt;
  return ComponentRef{std::string(name), std::string(version)};
}

std::optional<LogGroupRef> parse_log_group_arn(std::string_view arn) {
  constexpr std::string_view kKind = "log-group:";
  const auto parts = split_arn(arn);
  if (!parts || parts->service != "logs" || !parts->resource.starts_with(kKind)) {
    return std::nullopt;
  }
  std::string_view name = parts->resource.substr(kKind.size());
  const bool has_streams = name.ends_with(":*");
  if (has_streams) name.remove_suffix(2);
  if (name.empty() || name.find(':') != std::string_view::npos) return std::nullopt;
  return LogGroupRef{std::string(name), has_streams};
}

std::optional<ConnectionRef> parse_connection_arn(std::string_view arn) {
  constexpr std::string_view kKind = "connection/";
  const auto parts = split_arn(arn);
  if (!parts || parts->service != "events" || !parts->resource.starts_with(kKind)) {
    return std::nullopt;
  }
  const std::string_view rest = parts->resource.substr(kKind.size());
  const std::size_t slash = rest.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == rest.size()) {
    return std::nullopt;
  }
  return ConnectionRef{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

bool is_thing_name(std::string_view name) {
  return name.size() <= 128 && base::is_name_of(name, ":_-");
}

}  // namespace andon::fleet

// SPDX-License-Identifier: Apache-2.0
#include "edge/component_host.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/id.hpp"
#include "edge/component_values.hpp"
#include "edge/data_plane.hpp"
#include "edge/run_as.hpp"
#include "edge/version.hpp"
#include "recipe/interpolate.hpp"
#include "recipe/recipe_parser.hpp"
#include "trust/digest.hpp"

namespace andon::edge {
namespace {

recipe::Lifecycle raw_lifecycle(const InstalledComponent& component,
                                const recipe::PlatformAttributes& own) {
  const recipe::Recipe recipe = recipe::parse_recipe(component.recipe);
  const recipe::Manifest* manifest = recipe::select_manifest(recipe, own);
  return manifest == nullptr ? recipe::Lifecycle{} : recipe::select_lifecycle(recipe, *manifest);
}

// The text that a running process was started with.
std::string service_text(const recipe::Lifecycle& lifecycle) {
  std::string text;
  const auto add = [&text](const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) text += name + '=' + value + '\n';
  };
  add(lifecycle.setenv);
  for (const recipe::Step step : {recipe::Step::startup, recipe::Step::run}) {
    const recipe::LifecycleStep* found = lifecycle.find(step);
    if (found == nullptr) continue;
    text += found->script + '\n';
    add(found->setenv);
  }
  return text;
}

}  // namespace

const std::string& ComponentTokens::token_of(const std::string& component) {
  std::string& token = tokens_[component];
  if (token.empty()) token = base::random_text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  return token;
}

std::optional<std::string> ComponentTokens::component_of(std::string_view token) const {
  std::optional<std::string> found;
  for (const auto& [component, known] : tokens_) {
    if (trust::equal_in_constant_time(known, token)) found = component;
  }
  return found;
}

AgentHost::AgentHost(const DeviceConfig& device, const Layout& layout, store::Database& database,
                     const ConfigurationStore& configurations, ComponentTokens& tokens)
    : device_(device),
      layout_(layout),
      database_(database),
      configurations_(configurations),
      tokens_(tokens),
      platform_(own_platform()) {}

void AgentHost::activate(InstalledSet set, const Configurations& before) {
  leaving_ = std::move(active_);
  leaving_configurations_ = before;
  active_ = std::move(set);
}

std::vector<ComponentSpec> AgentHost::specs(const InstalledSet& set) const {
  std::vector<ComponentSpec> specs;
  for (const InstalledComponent& component : set.components) {
    ComponentSpec spec;
    spec.name = component.name;
    spec.version = component.version;
    spec.lifecycle = raw_lifecycle(component, platform_);
    spec.hard_dependencies = component.hard_dependencies;
    spec.dependencies = component.hard_dependencies;
    spec.dependencies.insert(spec.dependencies.end(), component.soft_dependencies.begin(),
                             component.soft_dependencies.end());
    spec.run_as = component.run_as;
    std::string text;
    try {
      text = service_text(recipe::interpolate(
          spec.lifecycle,
          interpolation_context(layout_, device_.thing_name, set, component, configurations_.all()),
          component.name));
    } catch (const base::Error&) {
      text = service_text(spec.lifecycle);  // the start of the step will say what is wrong
    }
    spec.identity = component.identity() + ' ' + trust::sha256_hex(text);
    specs.push_back(std::move(spec));
  }
  return specs;
}

recipe::InterpolationContext AgentHost::context_of(const std::string& name) const {
  if (const InstalledComponent* component = active_.find(name)) {
    return interpolation_context(layout_, device_.thing_name, active_, *component,
                                 configurations_.all());
  }
  if (const InstalledComponent* component = leaving_.find(name)) {
    return interpolation_context(layout_, device_.thing_name, leaving_, *component,
                                 leaving_configurations_);
  }
  throw base::Error(base::ErrorCode::not_found, "component " + name + " is not on this device");
}

json::object AgentHost::resolve(const std::string& component,
                                const json::object& configuration) const {
  try {
    return recipe::interpolate_json(configuration, context_of(component), component).as_object();
  } catch (const base::Error&) {
    return configuration;
  }
}

recipe::Lifecycle AgentHost::interpolated(const ComponentSpec& spec) {
  return recipe::interpolate(spec.lifecycle, context_of(spec.name), spec.name);
}

std::map<std::string, std::string> AgentHost::environment(const ComponentSpec& spec) {
  const std::string& token = tokens_.token_of(spec.name);
  std::map<std::string, std::string> environment{
      {"SVCUID", token},
      {"AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT", addresses_.ipc_socket},
      {"AWS_IOT_THING_NAME", device_.thing_name},
      {"AWS_REGION", device_.region},
      {"AWS_DEFAULT_REGION", device_.region},
      {"GGC_VERSION", std::string(kCoreVersion)},
      {"GG_ROOT_CA_PATH", ca_file(layout_).string()},
      {"GREENGRASS_COMPONENT_VERSION", spec.version},
      {"AWS_CA_BUNDLE", ca_file(layout_).string()},
      {"AWS_ENDPOINT_URL_S3", device_.data_plane_url()}};
  if (addresses_.token_exchange_port != 0) {
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token;
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
        "http://localhost:" + std::to_string(addresses_.token_exchange_port) +
        "/2016-11-01/credentialprovider/";
  }
  return environment;
}

base::fs::path AgentHost::working_directory(const ComponentSpec& spec) {
  const fs::path directory = layout_.work_of(spec.name);
  base::make_directories(directory, 0755);
  const RunAs owner = resolve_run_as(spec.run_as);
  if (owner.user || owner.group) {
    const uid_t user = owner.user.value_or(static_cast<uid_t>(-1));
    const gid_t group = owner.group.value_or(static_cast<gid_t>(-1));
    if (chown(directory.c_str(), user, group) != 0) {
      throw base::system_error("cannot give " + directory.string() + " to its user", errno);
    }
  }
  return directory;
}

base::fs::path AgentHost::log_file(const ComponentSpec& spec) {
  return layout_.log_of(spec.name);
}

bool AgentHost::is_installed(const ComponentSpec& spec) {
  const InstalledComponent* component = active_.find(spec.name);
  if (component == nullptr) return false;
  bool installed = false;
  database_.read([&](store::Transaction& transaction) {
    const auto row = transaction.query_one(
        "SELECT identity FROM installed_versions WHERE component = $1", {spec.name});
    installed = row && row->text(0) == component->identity();
  });
  return installed;
}

void AgentHost::note_installed(const ComponentSpec& spec) {
  const InstalledComponent* component = active_.find(spec.name);
  if (component == nullptr) return;
  database_.write([&](store::Transaction& transaction) {
    transaction.execute(
        "INSERT INTO installed_versions (component, identity) VALUES ($1, $2) "
        "ON CONFLICT (component) DO UPDATE SET identity = $2",
        {spec.name, component->identity()});
  });
}

void AgentHost::forget_installed(const std::string& component) {
  database_.write([&](store::Transaction& transaction) {
    transaction.execute("DELETE FROM installed_versions WHERE component = $1", {component});
  });
}

}  // namespace andon::edge

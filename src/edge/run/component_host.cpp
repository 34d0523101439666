// SPDX-License-Identifier: Apache-2.0
#include "edge/run/component_host.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/configuration/component_values.hpp"
#include "edge/process/run_as.hpp"
#include "edge/run/component_environment.hpp"
#include "edge/run/work_directory.hpp"
#include "edge/state/version.hpp"
#include "recipe/recipe/interpolate.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

// Where clients look for streams that are told nothing else.
constexpr std::uint16_t kUsualStreamPort = 8088;

recipe::Lifecycle raw_lifecycle(const InstalledComponent& component,
                                const recipe::PlatformAttributes& own) {
  const recipe::Recipe& recipe = *component.recipe;
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

AgentHost::AgentHost(const DeviceConfig& device, const Layout& layout,
                     const store::Database& database, StateWriter& writer,
                     const ConfigurationStore& configurations, ComponentTokens& tokens,
                     ComponentDefaults defaults)
    : device_(device),
      layout_(layout),
      writer_(writer),
      configurations_(configurations),
      tokens_(tokens),
      defaults_(std::move(defaults)),
      platform_(own_platform()) {
  database.read([this](store::Transaction& transaction) {
    for (const store::Row& row :
         transaction.query("SELECT component, identity FROM installed_versions")) {
      installed_[row.text(0)] = row.text(1);
    }
    for (const store::Row& row :
         transaction.query("SELECT component, identity FROM bootstrapped_versions")) {
      bootstrapped_[row.text(0)] = row.text(1);
    }
    for (const store::Row& row : transaction.query("SELECT component FROM held_components")) {
      held_.insert(row.text(0));
    }
  });
}

void AgentHost::activate(InstalledSet set, const Configurations& before) {
  leaving_ = std::move(active_);
  leaving_configurations_ = before;
  active_ = std::move(set);
}

std::vector<ComponentSpec> AgentHost::specs(const InstalledSet& set,
                                            const Configurations& configurations) const {
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
    spec.run_as = component.run_as.empty() ? defaults_.user : component.run_as;
    spec.limits = component.limits;
    std::string text;
    try {
      text = service_text(recipe::interpolate(
          spec.lifecycle,
          interpolation_context(layout_, device_.thing_name, set, component, configurations),
          component.name));
    } catch (const base::Error&) {
      text = service_text(spec.lifecycle);  // the start of the step will say what is wrong
    }
    spec.identity = component.identity() + ' ' + trust::sha256_hex(text);
    try {
      const auto level =
          sandbox_level(defaults_.sandbox, sandbox_rules_of(configurations), component.name);
      if (level) spec.identity += ' ' + std::string(to_string(*level));
    } catch (const base::Error&) {
      // The start says what is wrong with it.
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

const InstalledComponent* AgentHost::find(const std::string& component) const {
  const InstalledComponent* const found = active_.find(component);
  return found != nullptr ? found : leaving_.find(component);
}

bool AgentHost::has_artifacts(const ComponentSpec& spec) {
  return !artifact_gate_ || artifact_gate_(spec.name);
}

void AgentHost::take_note(const std::string& component, ComponentNote note) {
  const InstalledComponent* const about = find(component);
  if (about != nullptr) notes_[component] = {about->identity(), std::move(note)};
}

ComponentNote AgentHost::note_of(const std::string& component) const {
  const auto note = notes_.find(component);
  const InstalledComponent* const now = find(component);
  const bool holds =
      note != notes_.end() && now != nullptr && now->identity() == note->second.identity;
  return holds ? note->second.note : ComponentNote{};
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

json::object AgentHost::resolve(const std::string& component, const json::object& configuration,
                                const InstalledSet& set,
                                const Configurations& configurations) const {
  const InstalledComponent* const found = set.find(component);
  if (found == nullptr) return configuration;
  try {
    return recipe::interpolate_json(
               configuration,
               interpolation_context(layout_, device_.thing_name, set, *found, configurations),
               component)
        .as_object();
  } catch (const base::Error&) {
    return configuration;
  }
}

recipe::Lifecycle AgentHost::interpolated(const ComponentSpec& spec) {
  return recipe::interpolate(spec.lifecycle, context_of(spec.name), spec.name);
}

std::map<std::string, std::string> AgentHost::environment(const ComponentSpec& spec,
                                                          const RunAs& who) {
  if (start_check_) start_check_(spec.name);
  const std::string& token = tokens_.token_of(spec.name);
  std::map<std::string, std::string> environment =
      script_environment(who, layout_.work_of(spec.name), defaults_.passed_environment);
  std::map<std::string, std::string> own{
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
    own["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token;
    own["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
        "http://localhost:" + std::to_string(addresses_.token_exchange_port) +
        "/2016-11-01/credentialprovider/";
  }
  const auto stream_port = stream_port_ ? stream_port_() : std::nullopt;
  if (stream_port && *stream_port != kUsualStreamPort) {
    own["STREAM_MANAGER_SERVER_PORT"] = std::to_string(*stream_port);
  }
  for (auto& [name, value] : own) environment[name] = std::move(value);
  return environment;
}

base::fs::path AgentHost::working_directory(const ComponentSpec& spec) {
  const fs::path directory = layout_.work_of(spec.name);
  const RunAs owner = resolve_run_as(spec.run_as);
  prepare_work_directory(directory, owner);
  const std::string closed = closed_directory(directory.string(), owner);
  if (!closed.empty()) {
    throw base::Error(
        base::ErrorCode::failed_precondition,
        "the component runs as " + spec.run_as + ", who cannot enter " + closed +
            ": let others enter it (chmod o+x), keep the device's root elsewhere, or name another "
            "user with --component-user");
  }
  return directory;
}

base::fs::path AgentHost::log_file(const ComponentSpec& spec) {
  return layout_.log_of(spec.name);
}

Sandbox AgentHost::sandbox(const ComponentSpec& spec, bool is_privileged) const {
  Sandbox sandbox;
  sandbox.level =
      sandbox_level(defaults_.sandbox, sandbox_rules_of(configurations_.all()), spec.name)
          .value_or(usual_sandbox_level(spec.name, is_privileged));
  if (sandbox.level == SandboxLevel::none) return sandbox;
  const std::string why = sandbox_problem();
  if (!why.empty()) {
    throw base::Error(
        base::ErrorCode::unsupported,
        "its sandbox '" + std::string(to_string(sandbox.level)) + "' cannot be made here: " + why);
  }
  if (sandbox.level == SandboxLevel::guarded) sandbox.places = {"w/tmp", "w/var/tmp"};
  for (const char* const left : {"w/run", "w/var/lib/andon"}) sandbox.places.emplace_back(left);
  sandbox.places.push_back("r" + layout_.root().string());
  const fs::path socket = fs::path(addresses_.ipc_socket).parent_path();
  if (!socket.empty() && socket != layout_.root()) sandbox.places.push_back("r" + socket.string());
  sandbox.places.push_back("w" + layout_.work_of(spec.name).string());
  for (const std::string& path : defaults_.sandbox_writable) sandbox.places.push_back("w" + path);
  return sandbox;
}

bool AgentHost::is_installed(const ComponentSpec& spec) {
  const InstalledComponent* component = active_.find(spec.name);
  const auto found = installed_.find(spec.name);
  return component != nullptr && found != installed_.end() &&
         found->second == component->identity();
}

// A device that loses power before this is on the disk installs again, as one that does so just
// before the script ends.
void AgentHost::note_installed(const ComponentSpec& spec) {
  const InstalledComponent* component = active_.find(spec.name);
  if (component == nullptr) return;
  installed_[spec.name] = component->identity();
  writer_.run_unsynced([name = spec.name, identity = component->identity()](auto& transaction) {
    transaction.execute(
        "INSERT INTO installed_versions (component, identity) VALUES ($1, $2) "
        "ON CONFLICT (component) DO UPDATE SET identity = $2",
        {name, identity});
  });
}

bool AgentHost::is_bootstrapped(const ComponentSpec& spec) {
  const InstalledComponent* component = active_.find(spec.name);
  const auto found = bootstrapped_.find(spec.name);
  return component != nullptr && found != bootstrapped_.end() &&
         found->second == component->identity();
}

bool AgentHost::has_bootstrap_ahead(const InstalledSet& set) const {
  for (const InstalledComponent& component : set.components) {
    const auto done = bootstrapped_.find(component.name);
    if (done != bootstrapped_.end() && done->second == component.identity()) continue;
    const auto installed = installed_.find(component.name);
    if (installed != installed_.end() && installed->second == component.identity()) continue;
    const recipe::Lifecycle lifecycle = raw_lifecycle(component, platform_);
    const recipe::LifecycleStep* step = lifecycle.find(recipe::Step::bootstrap);
    if (step != nullptr && !step->script.empty()) return true;
  }
  return false;
}

void AgentHost::note_bootstrapped(const ComponentSpec& spec, std::optional<RestartOf> restart) {
  const InstalledComponent* component = active_.find(spec.name);
  if (component == nullptr) return;
  bootstrapped_[spec.name] = component->identity();
  writer_.run(
      [name = spec.name, identity = component->identity(), restart](auto& transaction) {
        transaction.execute(
            "INSERT INTO bootstrapped_versions (component, identity) VALUES ($1, $2) "
            "ON CONFLICT (component) DO UPDATE SET identity = $2",
            {name, identity});
        // It got on: a restart that is asked for is no crash of the deployment's work.
        if (restart) {
          transaction.execute(
              "UPDATE deployments SET attempts = 0 WHERE id = (SELECT max(id) FROM deployments)");
        }
      },
      [this, alive = alive_, restart, name = spec.name](const std::exception_ptr& error) {
        if (!*alive) return;
        if (error) {
          bootstrapped_.erase(name);
          std::rethrow_exception(error);
        }
        if (restart && restarter_) restarter_(*restart);
      });
}

void AgentHost::note_held(const std::set<std::string>& components) {
  if (held_ == components) return;
  held_ = components;
  writer_.run([components](store::Transaction& transaction) {
    transaction.execute("DELETE FROM held_components");
    for (const std::string& component : components) {
      transaction.execute("INSERT INTO held_components (component) VALUES ($1)", {component});
    }
  });
}

void AgentHost::forget_installed_version(const InstalledComponent& component) {
  const auto found = installed_.find(component.name);
  if (found != installed_.end() && found->second == component.identity()) {
    forget_installed(component.name);
  }
}

void AgentHost::forget_installed(const std::string& component) {
  installed_.erase(component);
  bootstrapped_.erase(component);
  // Durable with the state of the deployment that follows.
  writer_.run_unsynced([component](auto& transaction) {
    transaction.execute("DELETE FROM installed_versions WHERE component = $1", {component});
    transaction.execute("DELETE FROM bootstrapped_versions WHERE component = $1", {component});
  });
}

}  // namespace andon::edge

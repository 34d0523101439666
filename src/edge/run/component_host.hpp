// SPDX-License-Identifier: Apache-2.0
// What components get from the agent when their scripts start: variables, environment, a working
// directory; and the secrets by which they are known over IPC. Main thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "edge/configuration/configuration_store.hpp"
#include "edge/run/component.hpp"
#include "edge/run/component_note.hpp"
#include "edge/run/sandbox_policy.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/installed_set.hpp"
#include "edge/state/layout.hpp"
#include "edge/state/state_writer.hpp"
#include "recipe/recipe/interpolate.hpp"
#include "recipe/recipe/platform.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

// One secret for each component ("SVCUID"), as long as an agent or its service lives: who shows it
// over IPC or to the token exchange is that component.
class ComponentTokens {
 public:
  [[nodiscard]] const std::string& token_of(const std::string& component);
  // One that an earlier agent gave to a component that still runs.
  void restore(const std::string& component, const std::string& token) {
    if (!token.empty()) tokens_[component] = token;
  }
  // Takes the same time for every wrong token.
  [[nodiscard]] std::optional<std::string> component_of(std::string_view token) const;

 private:
  std::map<std::string, std::string> tokens_;  // by component
};

// What the operator of the agent says for all components.
struct ComponentDefaults {
  std::string user;                             // as resolve_run_as() reads it; "": the agent's own
  std::vector<std::string> passed_environment;  // names of variables of the agent's
  LogRotation logs;
  SandboxRules sandbox;
  std::vector<std::string> sandbox_writable;  // directories that a sandbox leaves writable
};

struct HostAddresses {
  std::string ipc_socket;  // path, at most 107 bytes
  std::uint16_t token_exchange_port = 0;
};

class AgentHost final : public ComponentHost {
 public:
  // Reads what is installed from `database`, which is the one of `writer`.
  AgentHost(const DeviceConfig& device, const Layout& layout, const store::Database& database,
            StateWriter& writer, const ConfigurationStore& configurations, ComponentTokens& tokens,
            ComponentDefaults defaults = {});
  AgentHost(const AgentHost&) = delete;
  AgentHost& operator=(const AgentHost&) = delete;
  ~AgentHost() override { *alive_ = false; }

  void set_addresses(HostAddresses addresses) { addresses_ = std::move(addresses); }
  // Asked before each start of a script: where streams are served, if they are.
  void set_stream_port(std::function<std::optional<std::uint16_t>()> port) {
    stream_port_ = std::move(port);
  }

  // The set that components belong to from now on. What is only in the set before keeps its
  // configuration as it was, for its uninstall step.
  void activate(InstalledSet set, const Configurations& before);
  [[nodiscard]] const InstalledSet& active() const { return active_; }
  // The set before, for the uninstall steps that an agent before this one has not come to.
  void set_leaving(InstalledSet set, Configurations configurations) {
    leaving_ = std::move(set);
    leaving_configurations_ = std::move(configurations);
  }
  // Of the active set, or of the one before it; null for one that is not here.
  [[nodiscard]] const InstalledComponent* find(const std::string& component) const;

  // Asked before each start of a component; who says no tells the component when it may.
  void set_artifact_gate(std::function<bool(const std::string& component)> gate) {
    artifact_gate_ = std::move(gate);
  }
  // Called before each start of a script; throws what keeps it from starting.
  void set_start_check(std::function<void(const std::string& component)> check) {
    start_check_ = std::move(check);
  }
  // Called when a bootstrap step wants a restart, once its end is durably noted.
  void set_restarter(std::function<void(RestartOf)> restarter) {
    restarter_ = std::move(restarter);
  }
  // Has a component of `set` a bootstrap step that is still to be done?
  [[nodiscard]] bool has_bootstrap_ahead(const InstalledSet& set) const;
  // The note holds for the component as it is now installed.
  void take_note(const std::string& component, ComponentNote note);
  [[nodiscard]] ComponentNote note_of(const std::string& component) const;
  // Specs of the set, as the supervisor wants them: a component restarts when its version, user,
  // or the text of its startup or run step with the present configuration differs.
  [[nodiscard]] std::vector<ComponentSpec> specs(const InstalledSet& set) const {
    return specs(set, configurations_.all());
  }
  // The same with another configuration.
  [[nodiscard]] std::vector<ComponentSpec> specs(const InstalledSet& set,
                                                 const Configurations& configurations) const;

  // What was installed of it counts no more: its next start installs anew.
  void forget_installed(const std::string& component);
  // The same where it is this very version that was installed.
  void forget_installed_version(const InstalledComponent& component);

  // What the component's recipe variables stand for now; not_found for one that is not here.
  [[nodiscard]] recipe::InterpolationContext context_of(const std::string& component) const;

  // The component's configuration with its variables replaced; as it is where one has no value.
  [[nodiscard]] json::object resolve(const std::string& component,
                                     const json::object& configuration) const;
  // The same as it would be with another set and its configurations.
  [[nodiscard]] json::object resolve(const std::string& component,
                                     const json::object& configuration, const InstalledSet& set,
                                     const Configurations& configurations) const;

  recipe::Lifecycle interpolated(const ComponentSpec& spec) override;
  std::map<std::string, std::string> environment(const ComponentSpec& spec,
                                                 const RunAs& who) override;
  base::fs::path working_directory(const ComponentSpec& spec) override;
  base::fs::path log_file(const ComponentSpec& spec) override;
  [[nodiscard]] LogRotation log_rotation() const override { return defaults_.logs; }
  [[nodiscard]] Sandbox sandbox(const ComponentSpec& spec, bool is_privileged) const override;
  bool is_installed(const ComponentSpec& spec) override;
  void note_installed(const ComponentSpec& spec) override;
  bool is_bootstrapped(const ComponentSpec& spec) override;
  void note_bootstrapped(const ComponentSpec& spec, std::optional<RestartOf> restart) override;
  bool has_artifacts(const ComponentSpec& spec) override;
  [[nodiscard]] std::set<std::string> held() const override { return held_; }
  void note_held(const std::set<std::string>& components) override;

 private:
  const DeviceConfig& device_;
  const Layout& layout_;
  StateWriter& writer_;
  const ConfigurationStore& configurations_;
  ComponentTokens& tokens_;
  ComponentDefaults defaults_;
  HostAddresses addresses_;
  std::function<bool(const std::string&)> artifact_gate_;
  std::function<void(const std::string&)> start_check_;
  std::function<std::optional<std::uint16_t>()> stream_port_;
  struct Note {
    std::string identity;  // of the component that it is about
    ComponentNote note;
  };
  std::map<std::string, Note> notes_;
  recipe::PlatformAttributes platform_;
  std::map<std::string, std::string> installed_;     // identity by component, as in config.db
  std::map<std::string, std::string> bootstrapped_;  // the same
  std::set<std::string> held_;                       // the same
  std::function<void(RestartOf)> restarter_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  InstalledSet active_;
  InstalledSet leaving_;
  Configurations leaving_configurations_;
};

}  // namespace andon::edge

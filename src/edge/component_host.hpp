// SPDX-License-Identifier: Apache-2.0
// What components get from the agent when their scripts start: variables, environment, a working
// directory; and the secrets by which they are known over IPC. Main thread only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "edge/component.hpp"
#include "edge/configuration_store.hpp"
#include "edge/device_config.hpp"
#include "edge/installed_set.hpp"
#include "edge/layout.hpp"
#include "recipe/interpolate.hpp"
#include "recipe/platform.hpp"
#include "store/database.hpp"

namespace andon::edge {

// One secret for each component and start of the agent ("SVCUID"): who shows it over IPC or to the
// token exchange is that component.
class ComponentTokens {
 public:
  [[nodiscard]] const std::string& token_of(const std::string& component);
  // Takes the same time for every wrong token.
  [[nodiscard]] std::optional<std::string> component_of(std::string_view token) const;

 private:
  std::map<std::string, std::string> tokens_;  // by component
};

struct HostAddresses {
  std::string ipc_socket;  // path, at most 107 bytes
  std::uint16_t token_exchange_port = 0;
};

class AgentHost final : public ComponentHost {
 public:
  AgentHost(const DeviceConfig& device, const Layout& layout, store::Database& database,
            const ConfigurationStore& configurations, ComponentTokens& tokens);

  void set_addresses(HostAddresses addresses) { addresses_ = std::move(addresses); }

  // The set that components belong to from now on. What is only in the set before keeps its
  // configuration as it was, for its uninstall step.
  void activate(InstalledSet set, const Configurations& before);
  [[nodiscard]] const InstalledSet& active() const { return active_; }
  // Specs of the set, as the supervisor wants them: a component restarts when its version, user,
  // or the text of its startup or run step with the present configuration differs.
  [[nodiscard]] std::vector<ComponentSpec> specs(const InstalledSet& set) const;

  // What was installed of it counts no more: its next start installs anew.
  void forget_installed(const std::string& component);

  // What the component's recipe variables stand for now; not_found for one that is not here.
  [[nodiscard]] recipe::InterpolationContext context_of(const std::string& component) const;

  // The component's configuration with its variables replaced; as it is where one has no value.
  [[nodiscard]] json::object resolve(const std::string& component,
                                     const json::object& configuration) const;

  recipe::Lifecycle interpolated(const ComponentSpec& spec) override;
  std::map<std::string, std::string> environment(const ComponentSpec& spec) override;
  base::fs::path working_directory(const ComponentSpec& spec) override;
  base::fs::path log_file(const ComponentSpec& spec) override;
  bool is_installed(const ComponentSpec& spec) override;
  void note_installed(const ComponentSpec& spec) override;

 private:
  const DeviceConfig& device_;
  const Layout& layout_;
  store::Database& database_;
  const ConfigurationStore& configurations_;
  ComponentTokens& tokens_;
  HostAddresses addresses_;
  recipe::PlatformAttributes platform_;
  InstalledSet active_;
  InstalledSet leaving_;
  Configurations leaving_configurations_;
};

}  // namespace andon::edge

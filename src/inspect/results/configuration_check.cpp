// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/configuration_check.hpp"

#include <exception>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

namespace json = base::json;

json::object validity_report(const json::object& event, const ConfigurationCheck::Check& check) {
  const base::JsonReader asked =
      base::JsonReader(event, "event").child("validateConfigurationUpdateEvent");
  json::object report{{"deploymentId", asked.string("deploymentId")}, {"status", "ACCEPTED"}};
  try {
    const json::value* const configuration = asked.object().if_contains("configuration");
    check(configuration == nullptr ? json::value(json::object{}) : *configuration);
  } catch (const std::exception& error) {
    const auto* known = dynamic_cast<const base::Error*>(&error);
    const std::string why = known != nullptr ? known->message() : error.what();
    base::log_error("the configuration of a deployment cannot be used", {{"why", why}});
    report["status"] = "REJECTED";
    report["message"] = why;
  }
  return report;
}

ConfigurationCheck::ConfigurationCheck(wire::IpcClient& agent, Check check) {
  shared_->check = std::move(check);
  try {
    agent.subscribe(
        "SubscribeToValidateConfigurationUpdates", {},
        [&agent, shared = shared_](const json::object& event) {
          const std::lock_guard lock(shared->mutex);
          if (!shared->check) return;
          try {
            agent.call("SendConfigurationValidityReport",
                       {{"configurationValidityReport", validity_report(event, shared->check)}});
          } catch (const base::Error& error) {
            base::log_warning("the agent did not take what was said of a configuration",
                              {{"why", error.message()}});
          }
        });
  } catch (const base::Error& error) {
    base::log_warning("configurations are not checked before a deployment",
                      {{"why", error.message()}});
  }
}

ConfigurationCheck::~ConfigurationCheck() {
  const std::lock_guard lock(shared_->mutex);
  shared_->check = {};
}

}  // namespace andon::inspect

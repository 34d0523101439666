// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/nucleus_configurator.hpp"

#include <utility>

#include "base/log/log.hpp"
#include "edge/builtin/mqtt_settings.hpp"

namespace andon::edge {
namespace {

// Of two ages the shorter counts; zero is none.
std::chrono::seconds shorter_age(std::chrono::seconds own, std::chrono::seconds said) {
  const bool takes_own = said.count() == 0 || (own.count() > 0 && own < said);
  return takes_own ? own : said;
}

}  // namespace

NucleusConfigurator::NucleusConfigurator(Parts parts) : parts_(std::move(parts)) {}

void NucleusConfigurator::take(const base::json::object* nucleus) {
  MqttSettings mqtt = read_mqtt_settings(nucleus);
  const SpoolLimits& own = parts_.spool_limits;
  parts_.link.tune(mqtt.tuning);
  parts_.spool.set_limits(mqtt.spool_bytes.value_or(own.max_bytes),
                          shorter_age(own.max_age, mqtt.spool_age.value_or(own.max_age)));
  mqtt_problems_ = std::move(mqtt.problems);

  TelemetrySettings telemetry = read_telemetry_settings(nucleus);
  parts_.telemetry.configure(telemetry);
  telemetry_problems_ = std::move(telemetry.problems);

  take_budget(nucleus);
}

void NucleusConfigurator::take_budget(const base::json::object* nucleus) {
  ReadBudgetSettings budget = read_budget_settings(nucleus);
  parts_.budget.configure(std::move(budget.settings));
  budget_problems_ = std::move(budget.problems);
  tell_problems();
}

void NucleusConfigurator::tell_problems() {
  std::string problems;
  for (const Problems* const found : {&mqtt_problems_, &telemetry_problems_, &budget_problems_}) {
    for (const std::string& problem : *found) {
      problems += (problems.empty() ? "" : "; ") + problem;
    }
  }
  parts_.note({NoteCode::configuration_not_used, problems});
  if (problems != told_ && !problems.empty()) {
    base::log_warning("left out of the configuration of aws.greengrass.Nucleus",
                      {{"why", problems}});
  }
  told_ = std::move(problems);
}

}  // namespace andon::edge

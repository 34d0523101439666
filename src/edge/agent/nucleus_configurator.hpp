// SPDX-License-Identifier: Apache-2.0
// Gives the agent's parts what the configuration of aws.greengrass.Nucleus says of them: of the
// connection to the broker and the spool before it, of the budget of the link, of telemetry. What
// cannot be used is left as it is without it; the component's note names all of that, and the log
// once, until it is other. Owned by the agent; main thread only.
#pragma once

#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "edge/budget/link_budget.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/cloud/publish_spool.hpp"
#include "edge/run/component_note.hpp"
#include "edge/telemetry/telemetry_reporter.hpp"

namespace andon::edge {

class NucleusConfigurator {
 public:
  struct Parts {
    MqttLink& link;
    PublishSpool& spool;
    LinkBudget& budget;
    TelemetryReporter& telemetry;
    // The command line's; a configuration may want another size, and a shorter age.
    SpoolLimits spool_limits;
    TakeNote note;
  };

  explicit NucleusConfigurator(Parts parts);
  NucleusConfigurator(const NucleusConfigurator&) = delete;
  NucleusConfigurator& operator=(const NucleusConfigurator&) = delete;

  // The configuration as it is now; null where the component is not in the set.
  void take(const base::json::object* nucleus);
  // The configuration that a deployment in hand brings: its budget holds for its own downloads.
  void take_budget(const base::json::object* nucleus);

 private:
  using Problems = std::vector<std::string>;
  void tell_problems();

  const Parts parts_;
  Problems mqtt_problems_;
  Problems telemetry_problems_;
  Problems budget_problems_;
  std::string told_;  // in the log
};

}  // namespace andon::edge

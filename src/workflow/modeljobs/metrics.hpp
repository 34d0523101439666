// SPDX-License-Identifier: Apache-2.0
// What a training job's log says of its metrics, by the expressions of MetricDefinitions: of each
// the last value counts. Bounded in time, whatever log and expressions are. Pure; any thread.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "workflow/modeljobs/types.hpp"

namespace andon::workflow {

// In the order of the definitions; what the log does not say is left out. `definitions`: [{"Name",
// "Regex"}]. What has no value after `patience` is left out, too.
[[nodiscard]] std::vector<FinalMetric> read_metrics(const json::array& definitions,
                                                    std::string_view log,
                                                    std::chrono::milliseconds patience);

}  // namespace andon::workflow

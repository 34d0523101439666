// SPDX-License-Identifier: Apache-2.0
// What optimising a model did, as a page for people.
#pragma once

#include <string>

#include "model/quantise/optimization_report.hpp"
#include "report/page/differences.hpp"

namespace andon::report {

// `differences` between the source (first) and what was made of it (second); null where no pictures
// were looked at.
[[nodiscard]] std::string to_html(const model::OptimizationReport& report,
                                  const Differences* differences);

}  // namespace andon::report

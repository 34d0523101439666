// SPDX-License-Identifier: Apache-2.0
// Shows an execution of a state machine as it goes: each task when the execution comes to it for
// the first time, and what its jobs write. One thread.
#pragma once

#include <functional>
#include <string>

#include "base/json/json.hpp"
#include "cli/demo/context.hpp"

namespace andon::cli {

// Until it is over: what DescribeExecution says then. `at_each_look` gets the last task that was
// come to.
base::json::value follow_execution(DemoContext& demo, const std::string& execution,
                                   const std::function<void(const std::string&)>& at_each_look);

// The output of one that is over. Throws failed_precondition with its error and cause, after
// `what`, where it has not succeeded.
base::json::value output_of(const base::json::value& told, const std::string& what);

}  // namespace andon::cli

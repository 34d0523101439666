// SPDX-License-Identifier: Apache-2.0
// `andon env`: what the AWS CLI and every SDK of AWS need to reach a server of andon, as lines for
// a shell: eval "$(andon env --data data)". One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/os/file.hpp"
#include "cli/terminal/aws_client.hpp"

namespace CLI {
class App;
}

namespace andon::cli {

// The variables and their values, in the order in which they are printed.
using Environment = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Environment environment_of(const Connection& connection);

// config.yaml of SageMaker's Python SDK, with a default bucket, so that it asks no host but the
// server for the account, and no telemetry.
[[nodiscard]] std::string sagemaker_configuration(const Connection& connection);

// Lines for a POSIX shell, whatever the values hold. Variables of AWS that would take the place of
// these are unset.
[[nodiscard]] std::string shell_lines(const Environment& environment);

// Adds `env` to `app`; `selected` is set to what main has to run when it was asked for.
void add_env_command(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli

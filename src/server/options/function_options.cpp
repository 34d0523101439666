// SPDX-License-Identifier: Apache-2.0
#include "server/options/function_options.hpp"

#include "api/lambda/lambda.hpp"
#include "server/options/option_shapes.hpp"

namespace andon::server {

void add_function_options(CLI::App& app, FunctionOptions& options) {
  add_number(app, "--functions", options.at_once, {"COUNT", 1, 120},
             "How many sandboxes of functions there are at once; a call that finds no room is "
             "throttled");
  add_number(app, "--function-idle", options.idle_seconds, {"SECONDS", 1, 86'400},
             "How long a function's sandbox is kept warm without a call");
  add_value(app, "--function-python", options.python, "DIR",
            "Python packages (boto3, say) that every function can import: a directory, seen as "
            "/var/python");
  add_value(app, "--function-images", options.images, "FILE",
            "YAML file: what stands for container images here; each of its images has an image, "
            "a directory and a handler");
  app.add_flag("--function-requirements", options.installs_requirements,
               "Install what the requirements.txt of a function names, with this machine's pip");
  add_value(app, "--function-pip-config", options.pip_config, "FILE",
            "Settings of pip for that, instead of the machine's: a pip.conf that names an "
            "index or a directory of packages of one's own")
      ->check(CLI::ExistingFile);
  add_number(app, "--function-first-user", options.first_user, {"UID", 1000U, 4'294'900'000U},
             "As root each sandbox of a function has a user of its own: 128 numbers from this "
             "one on");
}

void check_function_options(const FunctionOptions& options) {
  const base::fs::path& python = options.python;
  if (!python.empty() && (!python.is_absolute() || !base::fs::is_directory(python))) {
    refuse("--function-python '" + python.string() + "' is no absolute path of a directory");
  }
  if (options.images.empty()) return;
  check_option("--function-images", [&] {
    (void)api::FunctionImages::parse(base::read_file(options.images), options.images.string());
  });
}

}  // namespace andon::server

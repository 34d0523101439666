// SPDX-License-Identifier: Apache-2.0
#include "server/options/job_options.hpp"

#include <string>
#include <string_view>

#include "server/options/option_shapes.hpp"
#include "workflow/modeljobs/image_commands.hpp"

namespace andon::server {
namespace {

// A job has places of its own there.
void check_path(const base::fs::path& path) {
  const std::string text = path.string();
  const auto is_below = [&](std::string_view place) {
    return text == place || text.starts_with(std::string(place) + "/");
  };
  const auto refuse_path = [&](const char* problem) {
    refuse("--job-path '" + text + "' " + problem);
  };
  if (!path.is_absolute() || path != path.lexically_normal() || text == "/") {
    refuse_path("must be an absolute path, without . and .. and other than /");
  }
  if (!base::fs::exists(path)) refuse_path("is not there");
  if (is_below("/tmp") || is_below("/job") || is_below("/proc") ||
      (is_below("/dev") && !base::fs::is_character_file(path))) {
    refuse_path("cannot be seen by jobs: /tmp, /job, /proc and /dev are their own");
  }
}

}  // namespace

void add_job_options(CLI::App& app, JobOptions& options) {
  add_number(app, "--jobs", options.at_once, {"COUNT", 1, 400},
             "How many jobs of state machines run at once; the others wait");
  add_value(app, "--job-path", options.paths, "PATH",
            "What jobs see of this machine, read-only, beside the system's programs: a Python "
            "environment, images, /dev/nvidia0");
  add_value(app, "--job-images", options.images, "FILE",
            "File (YAML or JSON) that names for container images the commands which processing "
            "and training jobs run in their place");
  add_value(app, "--job-port", options.ports, "PORT",
            "TCP ports that a job may ask for; without them it reaches no network");
  add_value(app, "--job-cgroup", options.cgroup, "DIR",
            "A delegated cgroup of version 2 for jobs; without it each process is limited, and "
            "their sum is looked at");
  add_number(app, "--job-first-user", options.first_user, {"UID", 1000U, 4'294'900'000U},
             "As root each running job has a user of its own: 400 numbers from this one on");
}

void check_job_options(const JobOptions& options) {
  for (const base::fs::path& path : options.paths) check_path(path);
  if (options.images.empty()) return;
  check_option("--job-images", [&] { (void)workflow::ImageCommands::load(options.images); });
}

}  // namespace andon::server

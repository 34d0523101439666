// SPDX-License-Identifier: Apache-2.0
#include "server/options/collector_options.hpp"

#include "server/options/option_shapes.hpp"
#include "wire/otlp/otlp_sender.hpp"

namespace andon::server {

void add_collector_options(CLI::App& app, CollectorOptions& options) {
  add_value(app, "--otlp", options.url, "URL",
            "A collector of OpenTelemetry (OTLP over HTTP) that is told the server's log, each "
            "entry of the audit log, and the metrics: http://HOST:4318");
  add_value(app, "--otlp-headers", options.headers, "FILE",
            "File with the headers of each request to it, NAME: VALUE a line (a token, say)");
  add_value(app, "--otlp-ca", options.ca_file, "FILE",
            "PEM file with whom to believe there, instead of the system's store");
  add_number(app, "--otlp-metrics", options.metrics_seconds, {"SECONDS", 1, 3600},
             "How often it is told the metrics");
}

void check_collector_options(const CollectorOptions& options) {
  if (options.url.empty()) {
    if (!options.headers.empty()) refuse("--otlp-headers: is for --otlp, which is missing");
    if (!options.ca_file.empty()) refuse("--otlp-ca: is for --otlp, which is missing");
    return;
  }
  check_option("--otlp", [&] { wire::check_otlp_url(options.url); });
  check_option("--otlp-headers", [&] {
    if (!options.headers.empty()) {
      (void)wire::read_otlp_headers(base::read_file(options.headers));
    }
  });
  check_is_file("--otlp-ca", options.ca_file);
}

}  // namespace andon::server

// SPDX-License-Identifier: Apache-2.0
// The collector of OpenTelemetry that the server tells what happens. Plain values.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace andon::server {

struct CollectorOptions {
  std::string url;      // "http://host:4318"; empty: none
  std::string headers;  // a file with what each request to it has in its head
  std::string ca_file;  // PEM, whom to believe there; empty: the system's store
  int metrics_seconds = 60;
};

void add_collector_options(CLI::App& app, CollectorOptions& options);
// Throws options::UsageError.
void check_collector_options(const CollectorOptions& options);

}  // namespace andon::server

// SPDX-License-Identifier: Apache-2.0
// Which server a command talks to, said in the same way for all: --data DIR (the data directory of
// a server on this machine), --server NAME (one that `andon login` knows), or nothing: a server
// whose directory is here (data/) or is that of the package, else the one that was signed in to
// last.
#pragma once

#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "cli/terminal/aws_client.hpp"

namespace CLI {
class App;
}

namespace andon::cli {

struct ServerChoice {
  base::fs::path data;  // empty: not said
  std::string server;
};

// --data and --server.
void add_server_options(CLI::App& command, ServerChoice& choice);

// Throws unavailable where no server runs on the directory, not_found for a name that is not known,
// failed_precondition where nothing says which server is meant.
[[nodiscard]] Connection connect(const ServerChoice& choice);
// The data directory that the choice leads to; nothing for a server that is reached by its address.
[[nodiscard]] std::optional<base::fs::path> data_directory(const ServerChoice& choice);

// The chosen server, by the system's clock. One thread.
class ServerClient {
 public:
  explicit ServerClient(const ServerChoice& choice) : aws_(connect(choice), clock_) {}

  AwsClient* operator->() { return &aws_; }
  AwsClient& operator*() { return aws_; }
  [[nodiscard]] const Connection& connection() const { return aws_.connection(); }
  [[nodiscard]] base::Timestamp now() const { return clock_.now(); }

  // Every page of a rest-json list: `member` of each. `target` has its other query members; `token`
  // is what the service calls the way to the next page.
  base::json::array all(std::string_view service, const std::string& target,
                        std::string_view member, const std::string& token = "nextToken");

 private:
  base::SystemClock clock_;
  AwsClient aws_;
};

}  // namespace andon::cli

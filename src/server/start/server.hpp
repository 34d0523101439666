// SPDX-License-Identifier: Apache-2.0
// andon-server as one object: what it is made of, in the order in which it starts. Built and
// destroyed by main; serves from threads of its own in between. Nothing hangs on its destructor: a
// killed server's next start finds everything in the data directory.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/options/server_options.hpp"
#include "server/start/ports.hpp"

namespace andon::server {

class Server {
 public:
  // Listens everywhere and has its broker running when it returns. Throws base::Error with what to
  // do where a port is taken, mosquitto is missing, or the data directory is in use.
  explicit Server(ServerOptions options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  [[nodiscard]] const ServerUrls& urls() const;
  [[nodiscard]] base::fs::path operator_key_file() const;

  // Where somebody signs in to the console for the first time: a link that is good once, for a
  // quarter of an hour. Once in a server's life; nothing then.
  [[nodiscard]] std::optional<std::string> first_sign_in();

  // Reads the API's certificate again where it is the plant's own; called by main on SIGHUP, and
  // once a minute.
  void look_at_certificate();
  // What is due about once an hour; called by main while it waits.
  void do_housekeeping();
  // Workflows' commands on this machine go on when this server ends, and the next one finds them.
  void leave_jobs_running();
  // Throws where the database does not answer. Any thread.
  void check_alive() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::server

// SPDX-License-Identifier: Apache-2.0
// Servers that somebody has signed in to from this machine: a file each in ~/.config/andon/servers
// (or $XDG_CONFIG_HOME/andon/servers), readable by its owner alone, with address, key and the
// server's CA, and the name of the one that was chosen last. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "cli/terminal/aws_client.hpp"

namespace andon::cli {

struct Profile {
  std::string name;     // letters, digits, "-", "_", "."
  std::string api_url;  // https://plant:8080
  std::string ca_pem;   // empty: the system's store
  std::string region;
  wire::Credentials credentials;
};

class Profiles {
 public:
  // Where those of the user are. Throws failed_precondition where the environment names no home.
  [[nodiscard]] static base::fs::path default_directory();
  explicit Profiles(base::fs::path directory) : directory_(std::move(directory)) {}

  // Replaces one of the same name, and is the chosen one from then on. Throws invalid_argument for
  // a name that is none.
  void save(const Profile& profile) const;
  // Throws not_found naming those that there are.
  [[nodiscard]] Connection read(const std::string& name) const;
  void remove(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::optional<std::string> chosen() const;
  void choose(const std::string& name) const;

 private:
  [[nodiscard]] base::fs::path file(const std::string& name) const;

  base::fs::path directory_;
};

}  // namespace andon::cli

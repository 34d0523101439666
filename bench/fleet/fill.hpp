// SPDX-License-Identifier: Apache-2.0
// A fleet straight into the tables of a server that is not running: things line-00000 ... in the
// thing group "all", each with a certificate of the server's CA for one key that all share. By the
// API it would take minutes.
#pragma once

#include <string>
#include <vector>

namespace fleet_bench {

struct Fleet {
  std::string key_pem;
  std::vector<std::string> certificates;  // PEM, of the device with that number
};

[[nodiscard]] std::string name_of(std::size_t device);
// Writes the tables of DATA/andon.db, and what the devices need into `directory`.
void fill(const std::string& data, const std::string& directory, std::size_t devices);
[[nodiscard]] Fleet read_fleet(const std::string& directory);

}  // namespace fleet_bench

// SPDX-License-Identifier: Apache-2.0
#include "server/data_directory.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace andon::server {
namespace {

using base::fs::path;

constexpr unsigned kPrivateDirectory = 0700;
constexpr unsigned kPrivateFile = 0600;
constexpr std::chrono::hours kAbandonedUpload{7 * 24};

// What the server's certificate must be good for: also the addresses that it listens on, by which
// it reaches its own broker.
std::vector<std::string> certificate_names(const ServerOptions& options) {
  std::vector<std::string> names = options.hosts;
  for (const std::string& address : {options.api_address, options.device_address}) {
    if (address != "0.0.0.0" && address != "::") names.push_back(address);
  }
  return names;
}

path make_private(const path& directory) {
  base::make_directories(directory, kPrivateDirectory);
  return base::fs::canonical(directory);
}

}  // namespace

DataDirectory::DataDirectory(const ServerOptions& options, const base::Clock& clock)
    : path_(make_private(options.data)),
      lock_(path_ / "lock"),
      database_(store::open_sqlite(path_ / "andon.db")),
      objects_(*database_, path_ / "objects", clock),
      authority_(path_, certificate_names(options), clock.now()),
      access_keys_(*database_, clock),
      written_(authority_.written()),
      operator_key_(ensure_operator_key(options.region)) {
  objects_.sweep(kAbandonedUpload);
  access_keys_.sweep();
}

path DataDirectory::operator_key_file() const {
  return path_ / "credentials/operator.json";
}

// The database knows which key is good; the file is written after it, so a start that was cut short
// between the two finds the key and writes the file.
control::AccessKey DataDirectory::ensure_operator_key(const std::string& region) {
  const auto keys = access_keys_.list();
  const auto good = std::ranges::find_if(keys, [](const control::AccessKey& key) {
    return key.principal == control::kOperatorPrincipal && !key.is_disabled;
  });
  const control::AccessKey key =
      good != keys.end() ? *good : access_keys_.create(std::string(control::kOperatorPrincipal));
  const std::string content = base::to_pretty_text(
      {{"accessKeyId", key.id}, {"secretAccessKey", key.secret}, {"region", region}});
  if (base::read_file_if_exists(operator_key_file()) != content) {
    base::write_file_atomically(operator_key_file(), content, kPrivateFile);
    written_.push_back(operator_key_file());
  }
  return key;
}

}  // namespace andon::server

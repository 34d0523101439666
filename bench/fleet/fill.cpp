// SPDX-License-Identifier: Apache-2.0
#include "fill.hpp"

#include <fmt/format.h>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/certificate.hpp"

namespace fleet_bench {

using namespace andon;

namespace {

constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
constexpr std::size_t kMost = 256U << 20U;

}  // namespace

std::string name_of(std::size_t device) {
  return fmt::format("line-{:05}", device);
}

void fill(const std::string& data, const std::string& directory, std::size_t devices) {
  const base::fs::path ca = base::fs::path(data) / "ca";
  const trust::CertificateAuthority authority{base::read_file(ca / "ca.crt", kMost),
                                              base::read_file(ca / "ca.key", kMost)};
  const std::string key = trust::make_private_key();
  const std::string csr = trust::make_csr(key, "device");
  const base::Timestamp now = base::SystemClock().now();
  const std::int64_t now_ms = base::to_epoch_millis(now);
  std::string certificates;
  const auto database = store::open_sqlite(base::fs::path(data) / "andon.db");
  database->write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO thing_groups (name, id, description, attributes, version, created_ms) "
        "VALUES ('all', 'all', '', '{}', 1, $1)",
        {now_ms});
    for (std::size_t i = 0; i < devices; ++i) {
      const std::string name = name_of(i);
      const std::string pem = trust::sign_csr(
          authority, csr,
          {.common_name = name, .dns_names = {}, .ip_addresses = {}, .not_before = now});
      const trust::CertificateInfo info = trust::describe_certificate(pem);
      tx.execute(
          "INSERT INTO things (name, id, type_name, attributes, version, created_ms) "
          "VALUES ($1, $1, '', '{}', 1, $2)",
          {name, now_ms});
      tx.execute("INSERT INTO thing_group_members (group_name, thing) VALUES ('all', $1)", {name});
      tx.execute(
          "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms) "
          "VALUES ($1, $2, $3, 'ACTIVE', $4, $5)",
          {info.fingerprint, name, pem, now_ms, base::to_epoch_millis(info.not_after)});
      certificates += pem;
    }
  });
  base::fs::create_directories(directory);
  base::write_file_atomically(base::fs::path(directory) / "key.pem", key);
  base::write_file_atomically(base::fs::path(directory) / "certificates.pem", certificates);
}

Fleet read_fleet(const std::string& directory) {
  Fleet fleet{base::read_file(base::fs::path(directory) / "key.pem", kMost), {}};
  const std::string all = base::read_file(base::fs::path(directory) / "certificates.pem", kMost);
  std::size_t begin = 0;
  for (std::size_t end = all.find(kEnd); end != std::string::npos; end = all.find(kEnd, begin)) {
    end += kEnd.size();
    fleet.certificates.push_back(all.substr(begin, end - begin));
    begin = end;
  }
  return fleet;
}

}  // namespace fleet_bench

// SPDX-License-Identifier: Apache-2.0
#include "server/services/certificate_ends.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "control/identity/ending_certificates.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::server {
namespace {

namespace json = base::json;

// Somewhat less, so that what looks hourly tells at the same hour each day.
constexpr std::chrono::hours kBetween{23};

// When it was last told; a row goes with what it is about.
constexpr std::string_view kTold = R"sql(
CREATE TABLE certificate_ends_told (
  id TEXT NOT NULL PRIMARY KEY,
  told_ms BIGINT NOT NULL
);
)sql";

json::object detail_of(const api::CertificateEnd& one, base::Timestamp now) {
  return {{"certificateId", one.id},
          {"notAfter", base::to_iso8601(one.not_after)},
          {"daysLeft", std::chrono::floor<std::chrono::days>(one.not_after - now).count()},
          {"certificate", one.name}};
}

}  // namespace

CertificateEnds::CertificateEnds(Parts parts) : parts_(std::move(parts)) {
  parts_.database.migrate("certificate_ends", {{"0001-told", kTold}});
}

std::vector<api::CertificateEnd> CertificateEnds::own() const {
  std::vector<api::CertificateEnd> all;
  for (const OwnCertificate& one : parts_.own()) {
    const trust::CertificateInfo info = trust::describe_certificate(one.pem);
    std::vector<std::string> names = info.dns_names;
    names.insert(names.end(), info.ip_addresses.begin(), info.ip_addresses.end());
    all.push_back({.id = info.fingerprint,
                   .name = one.name,
                   .names = std::move(names),
                   .not_after = info.not_after});
  }
  return all;
}

std::vector<api::CertificateEnd> CertificateEnds::within(std::chrono::days days) const {
  const base::Timestamp before = parts_.clock.now() + days;
  std::vector<api::CertificateEnd> all = own();
  std::erase_if(all, [&](const api::CertificateEnd& one) { return one.not_after >= before; });
  parts_.database.read([&](store::Transaction& tx) {
    for (const control::EndingCertificate& one : control::ending_certificates(tx, before, kMost)) {
      all.push_back({.id = one.id, .thing = one.thing, .not_after = one.not_after});
    }
  });
  if (all.size() > kMost) all.resize(kMost);
  return all;
}

void CertificateEnds::tell() {
  const base::Timestamp now = parts_.clock.now();
  const std::int64_t since = base::to_epoch_millis(now - kBetween);
  auto ending = own();
  std::erase_if(ending, [&](const auto& one) { return one.not_after >= now + kToldWithin; });
  parts_.database.write([&](store::Transaction& tx) {
    for (const api::CertificateEnd& one : ending) {
      const auto told = tx.execute(
          "INSERT INTO certificate_ends_told (id, told_ms) VALUES ($1, $2) ON CONFLICT (id) "
          "DO UPDATE SET told_ms = excluded.told_ms WHERE told_ms <= $3",
          {one.id, base::to_epoch_millis(now), since});
      if (told == 0) continue;
      base::log_warning("a certificate ends",
                        {{"of", one.name}, {"notAfter", base::to_iso8601(one.not_after)}});
      parts_.accept(tx, {.source = "andon.server",
                         .detail_type = "Certificate Ending",
                         .resources = {},
                         .detail = detail_of(one, now),
                         .time = now});
    }
    // What was renewed or is gone is forgotten.
    tx.execute("DELETE FROM certificate_ends_told WHERE told_ms < $1",
               {base::to_epoch_millis(now - std::chrono::days(60))});
  });
}

}  // namespace andon::server

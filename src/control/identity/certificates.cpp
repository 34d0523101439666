// SPDX-License-Identifier: Apache-2.0
#include "control/identity/certificates.hpp"

#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "control/shared/certificate_family.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kColumns =
    "id, thing, pem, status, created_ms, not_after_ms, coalesce(modified_ms, created_ms), changes";

std::string select(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM certificates " + std::string(rest);
}

Certificate read_certificate(const store::Row& row, const Arns& arns) {
  const auto status = parse_certificate_status(row.text(3));
  if (!status) {
    throw Error(ErrorCode::data_corrupted, "a stored certificate has no known status");
  }
  return {.id = row.text(0),
          .arn = arns.certificate(row.text(0)),
          .thing = row.optional_text(1).value_or(""),
          .pem = row.text(2),
          .status = *status,
          .created = stored_time(row.integer(4)),
          .not_after = stored_time(row.integer(5)),
          .modified = stored_time(row.integer(6)),
          .version = row.integer(7) + 1};
}

store::SqlValue or_null(const std::string& text) {
  return text.empty() ? store::SqlValue() : store::SqlValue(text);
}

}  // namespace

std::string_view to_string(CertificateStatus status) {
  switch (status) {
    case CertificateStatus::active:
      return "ACTIVE";
    case CertificateStatus::inactive:
      return "INACTIVE";
    case CertificateStatus::revoked:
      return "REVOKED";
  }
  throw Error(ErrorCode::internal, "a certificate status has no name");
}

std::optional<CertificateStatus> parse_certificate_status(std::string_view text) {
  for (const CertificateStatus status :
       {CertificateStatus::active, CertificateStatus::inactive, CertificateStatus::revoked}) {
    if (to_string(status) == text) return status;
  }
  return std::nullopt;
}

Certificates::Certificates(store::Database& database, trust::CertificateAuthority authority,
                           const base::Clock& clock, Arns arns, std::chrono::days lifetime)
    : database_(database),
      authority_(std::move(authority)),
      clock_(clock),
      arns_(std::move(arns)),
      lifetime_(lifetime) {}

Certificate Certificates::issue(store::Transaction& tx, const std::string& csr_pem,
                                const Request& request) const {
  const base::Timestamp now = clock_.now();
  trust::CertificateRequest wanted;
  wanted.common_name = request.common_name;
  wanted.not_before = now - std::chrono::hours(1);  // devices' clocks differ
  wanted.lifetime = request.lifetime.value_or(lifetime_);
  const std::string pem = trust::sign_csr(authority_, csr_pem, wanted);
  const trust::CertificateInfo info = trust::describe_certificate(pem);
  tx.execute(
      "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms, replaces) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {info.fingerprint, or_null(request.thing), pem, std::string(to_string(request.status)),
       to_stored(now), to_stored(info.not_after), or_null(request.renewal_of)});
  return require(tx, info.fingerprint);
}

std::string Certificates::authority_id() const {
  return trust::describe_certificate(authority_.certificate_pem).fingerprint;
}

Certificate Certificates::take_in(const std::string& pem, CertificateStatus status) {
  const base::Timestamp now = clock_.now();
  const trust::CertificateInfo info = trust::describe_certificate(pem);
  if (!trust::is_signed_by(pem, authority_.certificate_pem, now)) {
    throw Error(ErrorCode::invalid_argument,
                "the certificate is over, or not signed by this server's CA: devices could not "
                "connect with it; have its CSR signed here (CreateCertificateFromCsr)");
  }
  return database_.write([&](store::Transaction& tx) {
    if (find(tx, info.fingerprint)) {
      throw Error(ErrorCode::already_exists,
                  "certificate " + info.fingerprint + " is registered already");
    }
    tx.execute(
        "INSERT INTO certificates (id, thing, pem, status, created_ms, not_after_ms, replaces) "
        "VALUES ($1, NULL, $2, $3, $4, $5, NULL)",
        {info.fingerprint, pem, std::string(to_string(status)), to_stored(now),
         to_stored(info.not_after)});
    return require(tx, info.fingerprint);
  });
}

void Certificates::note_change(store::Transaction& tx, const std::string& id) const {
  tx.execute("UPDATE certificates SET modified_ms = $2, changes = changes + 1 WHERE " +
                 std::string(kWithItsRenewal),
             {id, to_stored(clock_.now())});
}

Certificate Certificates::issue(const std::string& csr_pem, const Request& request) {
  Certificate certificate;
  database_.write([&](store::Transaction& tx) { certificate = issue(tx, csr_pem, request); });
  return certificate;
}

std::optional<Certificate> Certificates::find(store::Transaction& tx, const std::string& id) const {
  const auto row = tx.query_one(select("WHERE id = $1"), {id});
  if (!row) return std::nullopt;
  return read_certificate(*row, arns_);
}

std::optional<Certificate> Certificates::find(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) { return find(tx, id); });
}

Page<Certificate> Certificates::to_page(const std::vector<store::Row>& rows,
                                        std::size_t limit) const {
  Page<Certificate> page;
  for (const store::Row& row : rows) {
    if (page.items.size() == limit) {
      const Certificate& last = page.items.back();
      page.next = time_key(to_stored(last.created), last.id);
      break;
    }
    page.items.push_back(read_certificate(row, arns_));
  }
  return page;
}

Page<Certificate> Certificates::list(Order order, const PageRequest& page) const {
  const auto limit = static_cast<std::int64_t>(page.limit + 1);
  const bool is_rising = order == Order::oldest_first;
  const std::pair<std::int64_t, std::string> after = is_rising && page.after.empty()
                                                         ? std::pair<std::int64_t, std::string>()
                                                         : read_time_key(page.after);
  return database_.read([&](store::Transaction& tx) {
    return to_page(
        tx.query(
            select(is_rising ? "WHERE (created_ms, id) > ($1, $2) ORDER BY created_ms, id LIMIT $3"
                             : "WHERE (created_ms, id) < ($1, $2) "
                               "ORDER BY created_ms DESC, id DESC LIMIT $3"),
            {after.first, after.second, limit}),
        page.limit);
  });
}

Page<Certificate> Certificates::list_of(const std::string& thing, const PageRequest& page) const {
  const auto [millis, id] = read_time_key(page.after);
  return database_.read([&, millis = millis, id = id](store::Transaction& tx) {
    require_thing(tx, thing);
    return to_page(tx.query(select("WHERE thing = $1 AND (created_ms, id) < ($2, $3) "
                                   "ORDER BY created_ms DESC, id DESC LIMIT $4"),
                            {thing, millis, id, static_cast<std::int64_t>(page.limit + 1)}),
                   page.limit);
  });
}

Certificate Certificates::require(store::Transaction& tx, const std::string& id) const {
  std::optional<Certificate> certificate = find(tx, id);
  if (!certificate) throw Error(ErrorCode::not_found, "there is no certificate " + id);
  return *std::move(certificate);
}

void Certificates::set_status(const std::string& id, CertificateStatus status) {
  database_.write([&](store::Transaction& tx) {
    if (require(tx, id).status == CertificateStatus::revoked &&
        status != CertificateStatus::revoked) {
      throw Error(ErrorCode::conflict, "certificate " + id + " is revoked, which is for ever");
    }
    tx.execute("UPDATE certificates SET status = $2 WHERE " + std::string(kWithItsRenewal),
               {id, std::string(to_string(status))});
    note_change(tx, id);
  });
}

void Certificates::attach(const std::string& id, const std::string& thing) {
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    const Certificate certificate = require(tx, id);
    if (!certificate.thing.empty() && certificate.thing != thing) {
      throw Error(ErrorCode::failed_precondition,
                  "certificate " + id + " is attached to thing \"" + certificate.thing +
                      "\" and can be of one thing only: detach it from that one first");
    }
    tx.execute("UPDATE certificates SET thing = $2 WHERE " + std::string(kWithItsRenewal),
               {id, thing});
  });
}

void Certificates::detach(const std::string& id, const std::string& thing) {
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, thing);
    const Certificate certificate = require(tx, id);
    if (certificate.thing.empty()) return;
    if (certificate.thing != thing) {
      throw Error(ErrorCode::not_found, "certificate " + id + " is attached to thing \"" +
                                            certificate.thing + "\", not to \"" + thing + "\"");
    }
    tx.execute("UPDATE certificates SET thing = NULL WHERE " + std::string(kWithItsRenewal), {id});
  });
}

void Certificates::remove(const std::string& id, Policies policies) {
  database_.write([&](store::Transaction& tx) {
    const Certificate certificate = require(tx, id);
    if (certificate.status == CertificateStatus::active) {
      throw Error(ErrorCode::failed_precondition,
                  "certificate " + id +
                      " is ACTIVE: set it to INACTIVE or REVOKED (UpdateCertificate) first");
    }
    if (!certificate.thing.empty()) {
      throw Error(ErrorCode::conflict, "certificate " + id + " is attached to thing \"" +
                                           certificate.thing +
                                           "\": detach it (DetachThingPrincipal) first");
    }
    if (policies == Policies::keep_it) {
      const auto policy = tx.query_one(
          "SELECT policy FROM iot_policy_attachments WHERE target = $1 LIMIT 1", {"cert/" + id});
      if (policy) {
        throw Error(ErrorCode::conflict,
                    "policy \"" + policy->text(0) + "\" is attached to " + "certificate " + id +
                        ": detach it (DetachPolicy) first, or say forceDelete");
      }
    }
    tx.execute("DELETE FROM certificates WHERE id = $1", {id});
  });
}

}  // namespace andon::control

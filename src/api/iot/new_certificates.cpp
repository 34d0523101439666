// SPDX-License-Identifier: Apache-2.0
// Certificates that are made or registered by the API, as AWS IoT has them: keys made here, and
// certificates that this server's CA has signed. What needs another CA or another account is
// refused by name.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;
using control::CertificateStatus;

constexpr std::string_view kCommonName = "AWS IoT Certificate";

// P-256, as devices' own. The private key is given out and not kept.
json::value create_keys(control::ControlPlane& control, const OperationContext& context) {
  const std::string key = trust::make_private_key();
  const auto certificate = control.certificates.issue(
      trust::make_csr(key, kCommonName),
      {.common_name = std::string(kCommonName),
       .thing = {},
       .status = flag(context.input, "setAsActive") ? CertificateStatus::active
                                                    : CertificateStatus::inactive,
       .renewal_of = {}});
  return json::object{{"certificateArn", certificate.arn},
                      {"certificateId", certificate.id},
                      {"certificatePem", certificate.pem},
                      {"keyPair", {{"PublicKey", trust::public_key_of(key)}, {"PrivateKey", key}}}};
}

CertificateStatus read_status(const json::object& input) {
  const std::string status = word_or_empty(input, "status", {"ACTIVE", "INACTIVE"});
  if (status.empty()) {
    return flag(input, "setAsActive") ? CertificateStatus::active : CertificateStatus::inactive;
  }
  return *control::parse_certificate_status(status);
}

json::value take_in(control::ControlPlane& control, const OperationContext& context) {
  const std::string pem = required_text(context.input, "certificatePem");
  const CertificateStatus status = read_status(context.input);
  const auto certificate =
      naming(ErrorCode::invalid_argument, 400, "CertificateValidationException",
             [&] { return control.certificates.take_in(pem, status); });
  return json::object{{"certificateArn", certificate.arn}, {"certificateId", certificate.id}};
}

json::value register_with_ca(control::ControlPlane& control, const OperationContext& context) {
  const std::string ca = text_or_empty(context.input, "caCertificatePem");
  if (!ca.empty()) {
    naming(ErrorCode::invalid_argument, 400, "CertificateValidationException", [&] {
      if (trust::describe_certificate(ca).fingerprint != control.certificates.authority_id()) {
        throw Error(ErrorCode::invalid_argument,
                    "caCertificatePem: this server knows one CA, its own (ca/ca.crt)");
      }
    });
  }
  return take_in(control, context);
}

json::value refuse_ca(const control::ControlPlane& /*control*/,
                      const OperationContext& /*context*/) {
  throw Error(ErrorCode::unsupported,
              "RegisterCACertificate: this server knows one CA, its own; have the devices' CSRs "
              "signed here (CreateCertificateFromCsr)");
}

json::value refuse_transfer(const control::ControlPlane& /*control*/,
                            const OperationContext& /*context*/) {
  throw Error(ErrorCode::unsupported,
              "TransferCertificate: this server has one account, to which certificates belong");
}

}  // namespace

std::vector<Operation> new_certificate_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "CreateKeysAndCertificate", "POST", "/keys-and-certificate", create_keys),
      iot_row(control, "RegisterCertificate", "POST", "/certificate/register", register_with_ca),
      iot_row(control, "RegisterCertificateWithoutCA", "POST", "/certificate/register-no-ca",
              take_in),
      iot_row(control, "RegisterCACertificate", "POST", "/cacertificate", refuse_ca),
      iot_row(control, "TransferCertificate", "PATCH", "/transfer-certificate/{certificateId}",
              refuse_transfer),
  };
}

}  // namespace andon::api

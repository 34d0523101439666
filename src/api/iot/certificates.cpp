// SPDX-License-Identifier: Apache-2.0
// Certificates and the things that they are attached to, as AWS IoT has them. A certificate is of
// one thing at most.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr PageLimits kPages{100, 250};

std::string read_principal(const json::object& input) {
  return read_certificate_arn(input, "principal");
}

json::value attach(control::ControlPlane& control, const OperationContext& context) {
  (void)word_or_empty(context.input, "thingPrincipalType",
                      {"EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"});
  control.certificates.attach(read_principal(context.input),
                              required_text(context.input, "thingName"));
  return json::object{};
}

json::value detach(control::ControlPlane& control, const OperationContext& context) {
  control.certificates.detach(read_principal(context.input),
                              required_text(context.input, "thingName"));
  return json::object{};
}

json::value list_principals(const control::ControlPlane& control, const OperationContext& context) {
  const auto found = control.certificates.list_of(required_text(context.input, "thingName"),
                                                  read_page(context.input, kPages));
  json::array principals;
  for (const control::Certificate& certificate : found.items) {
    principals.emplace_back(certificate.arn);
  }
  json::object output{{"principals", std::move(principals)}};
  put_next(output, found.next);
  return output;
}

control::Certificate require_certificate(const control::ControlPlane& control,
                                         const std::string& id) {
  auto certificate = control.certificates.find(id);
  if (!certificate) throw Error(ErrorCode::not_found, "there is no certificate " + id);
  return *std::move(certificate);
}

json::value list_things(const control::ControlPlane& control, const OperationContext& context) {
  (void)read_page(context.input, kPages);
  const auto certificate = require_certificate(control, read_principal(context.input));
  json::array things;
  if (!certificate.thing.empty()) things.emplace_back(certificate.thing);
  return json::object{{"things", std::move(things)}};
}

json::object summary(const control::Certificate& certificate) {
  return {{"certificateArn", certificate.arn},
          {"certificateId", certificate.id},
          {"status", control::to_string(certificate.status)},
          {"certificateMode", "DEFAULT"},
          {"creationDate", base::to_epoch_seconds(certificate.created)}};
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  using Order = control::Certificates::Order;
  const auto found = control.certificates.list(
      flag(context.input, "isAscendingOrder") ? Order::oldest_first : Order::newest_first,
      read_marker_page(context.input));
  json::array certificates;
  for (const control::Certificate& certificate : found.items) {
    certificates.emplace_back(summary(certificate));
  }
  json::object output{{"certificates", std::move(certificates)}};
  put_next_marker(output, found.next);
  return output;
}

json::value describe(const control::ControlPlane& control, const OperationContext& context) {
  const auto certificate =
      require_certificate(control, required_text(context.input, "certificateId"));
  const auto info = trust::describe_certificate(certificate.pem);
  json::object description = summary(certificate);
  description["certificatePem"] = certificate.pem;
  description["ownedBy"] = control.arns.account();
  description["lastModifiedDate"] = base::to_epoch_seconds(certificate.modified);
  description["customerVersion"] = certificate.version;
  description["validity"] = {{"notBefore", base::to_epoch_seconds(info.not_before)},
                             {"notAfter", base::to_epoch_seconds(info.not_after)}};
  return json::object{{"certificateDescription", std::move(description)}};
}

// For a device whose identity an operator makes by hand: register, attach, copy to the device.
json::value create_from_csr(control::ControlPlane& control, const OperationContext& context) {
  const auto certificate = control.certificates.issue(
      required_text(context.input, "certificateSigningRequest"),
      {.common_name = "AWS IoT Certificate",
       .thing = {},
       .status = flag(context.input, "setAsActive") ? control::CertificateStatus::active
                                                    : control::CertificateStatus::inactive,
       .renewal_of = {}});
  return json::object{{"certificateArn", certificate.arn},
                      {"certificateId", certificate.id},
                      {"certificatePem", certificate.pem}};
}

json::value update(control::ControlPlane& control, const OperationContext& context) {
  const std::string text = required_text(context.input, "newStatus");
  const auto status = control::parse_certificate_status(text);
  if (!status) {
    throw Error(ErrorCode::invalid_argument, "newStatus: must be ACTIVE, INACTIVE or REVOKED");
  }
  naming(ErrorCode::conflict, 406, "CertificateStateException", [&] {
    control.certificates.set_status(required_text(context.input, "certificateId"), *status);
  });
  return json::object{};
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  using Policies = control::Certificates::Policies;
  const Policies policies =
      flag(context.input, "forceDelete") ? Policies::go_with_it : Policies::keep_it;
  naming(ErrorCode::failed_precondition, 406, "CertificateStateException", [&] {
    naming(ErrorCode::conflict, 409, "DeleteConflictException", [&] {
      control.certificates.remove(required_text(context.input, "certificateId"), policies);
    });
  });
  return json::object{};
}

template <typename Function>
Operation principal_row(control::ControlPlane& control, std::string_view name,
                        std::string_view method, std::string_view path, Function function) {
  Operation row = iot_row(control, name, method, path, function);
  row.headers = {{"x-amzn-principal", "principal"}};
  return row;
}

}  // namespace

control::PageRequest read_marker_page(const json::object& input) {
  constexpr std::int64_t kMaxPageSize = 250;
  constexpr std::int64_t kPageSize = 25;
  const base::JsonReader reader(input, "",
                                {.texts = base::JsonReading::Texts::as_values, .separator = ": "});
  control::PageRequest page;
  page.limit = static_cast<std::size_t>(
      reader.optional_integer("pageSize", 1, kMaxPageSize).value_or(kPageSize));
  if (const std::string marker = text_or_empty(input, "marker"); !marker.empty()) {
    const auto after = from_page_token(marker);
    if (!after) reader.fail("marker", "is not one that this operation gave");
    page.after = *after;
  }
  return page;
}

void put_next_marker(json::object& output, const std::optional<std::string>& next) {
  if (next) output["nextMarker"] = to_page_token(*next);
}

std::string read_certificate_arn(const json::object& input, std::string_view key) {
  const std::string arn = required_text(input, key);
  auto id = fleet::parse_certificate_arn(arn);
  if (!id) {
    throw Error(ErrorCode::invalid_argument,
                std::string(key) + ": must be a certificate's ARN (arn:aws:iot:...:cert/<id>)");
  }
  return *std::move(id);
}

std::vector<Operation> certificate_operations(control::ControlPlane& control) {
  constexpr std::string_view kPrincipals = "/things/{thingName}/principals";
  constexpr std::string_view kCertificate = "/certificates/{certificateId}";
  return {
      principal_row(control, "AttachThingPrincipal", "PUT", kPrincipals, attach),
      principal_row(control, "DetachThingPrincipal", "DELETE", kPrincipals, detach),
      iot_row(control, "ListThingPrincipals", "GET", kPrincipals, list_principals),
      principal_row(control, "ListPrincipalThings", "GET", "/principals/things", list_things),
      iot_row(control, "CreateCertificateFromCsr", "POST", "/certificates", create_from_csr),
      iot_row(control, "ListCertificates", "GET", "/certificates", list),
      iot_row(control, "DescribeCertificate", "GET", kCertificate, describe),
      iot_row(control, "UpdateCertificate", "PUT", kCertificate, update),
      iot_row(control, "DeleteCertificate", "DELETE", kCertificate, remove),
  };
}

}  // namespace andon::api

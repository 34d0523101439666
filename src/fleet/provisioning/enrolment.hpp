// SPDX-License-Identifier: Apache-2.0
// Room: provisioning. How a device becomes one of the fleet: by token, or by a claim and a
// template. How a device becomes one of the fleet: the token that the operator copies, and what the
// device and the server say over HTTPS. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/json_reader.hpp"
#include "fleet/messages/limits.hpp"

namespace andon::fleet {

// Paths of the device plane.
inline constexpr std::string_view kCaPath = "/andon/v1/ca.pem";
inline constexpr std::string_view kEnrolPath = "/andon/v1/enrol";
inline constexpr std::string_view kRenewPath = "/andon/v1/renew";

// "andon1." + base64url of {"url", "ca", "secret"}.
struct EnrolmentToken {
  std::string url;             // "https://host:8443"
  std::string ca_fingerprint;  // SHA-256 of the CA certificate's DER, lower-case hex
  std::string secret;
};
[[nodiscard]] std::string to_text(const EnrolmentToken& token);
// Blanks and line ends behind it are left out. Throws invalid_argument saying what is wrong; never
// repeats the secret.
[[nodiscard]] EnrolmentToken parse_enrolment_token(std::string_view text);

struct EnrolmentRequest {
  std::string secret;
  std::string csr_pem;
};
[[nodiscard]] json::object to_json(const EnrolmentRequest& request);
// Throws invalid_argument naming the member that is missing.
[[nodiscard]] EnrolmentRequest read_enrolment_request(const json::object& object);

// A new certificate for one that the device has. Its key is shown by the CSR, which is signed with
// it; a connection that was made with the certificate may leave it out, and bring another key.
struct RenewalRequest {
  std::string certificate_pem;  // empty: that of the connection
  std::string csr_pem;
};
[[nodiscard]] json::object to_json(const RenewalRequest& request);
[[nodiscard]] RenewalRequest read_renewal_request(const json::object& object);

struct RenewalAnswer {
  std::string certificate_pem;
};
[[nodiscard]] json::object to_json(const RenewalAnswer& answer);
[[nodiscard]] RenewalAnswer read_renewal_answer(const json::value& value);

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;

  [[nodiscard]] std::string https_url() const;  // "https://host:8443", "https://[::1]:8443"
};
[[nodiscard]] json::object to_json(const Endpoint& endpoint);
[[nodiscard]] Endpoint read_endpoint(const base::JsonReader& reader);

// What the device is from now on and where its server is.
struct EnrolmentAnswer {
  std::string thing_name;
  std::string certificate_pem;
  std::string ca_pem;
  Endpoint mqtt;
  Endpoint data_plane;
  std::string region;
  std::string role_alias = {};  // whose credentials it asks for; empty: the standard ones
};
[[nodiscard]] json::object to_json(const EnrolmentAnswer& answer);
[[nodiscard]] EnrolmentAnswer read_enrolment_answer(const json::value& value);

}  // namespace andon::fleet

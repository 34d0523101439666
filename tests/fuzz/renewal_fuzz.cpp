// SPDX-License-Identifier: Apache-2.0
// What comes to the renewal of certificates from who has none: the body of the request. The server
// must refuse it or give a certificate of the thing whose key has signed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"
#include "fleet/provisioning/enrolment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static andon::control::ControlFixture world;
  static const std::string certificate = world.enrol("dev1");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto body = andon::base::parse_json(text, "body", {256U << 10U, 16});
    if (!body.is_object()) return 0;
    auto request = andon::fleet::read_renewal_request(body.get_object());
    // Few inputs hold the very certificate of this run.
    if (request.certificate_pem == "own") request.certificate_pem = certificate;
    (void)world.control().renewal.renew(request.certificate_pem, request.csr_pem,
                                        andon::control::Renewal::Proof::by_request);
    std::abort();  // the key was never given away
  } catch (const andon::base::Error&) {
  }
  return 0;
}

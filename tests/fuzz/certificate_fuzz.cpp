// SPDX-License-Identifier: Apache-2.0
// Certificates and signing requests from devices that nobody has vouched for yet.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "trust/keys/certificate.hpp"

namespace {

const andon::base::Timestamp kNow = andon::base::from_epoch_millis(1'795'341'600'000);

const andon::trust::CertificateAuthority& authority() {
  static const andon::trust::CertificateAuthority made =
      andon::trust::make_certificate_authority("fuzz CA", kNow, std::chrono::days{30});
  return made;
}

template <typename Function>
void call(Function function) {
  try {
    function();
  } catch (const andon::base::Error& error) {
    if (error.code() != andon::base::ErrorCode::invalid_argument) throw;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string pem(data, data + size);
  call([&] { (void)andon::trust::describe_certificate(pem); });
  call([&] { (void)andon::trust::is_signed_by(pem, authority().certificate_pem, kNow); });
  call([&] { (void)andon::trust::public_key_sha256_of_csr(pem); });
  call([&] {
    (void)andon::trust::sign_csr(authority(), pem, {.common_name = "line-1", .not_before = kNow});
  });
  return 0;
}

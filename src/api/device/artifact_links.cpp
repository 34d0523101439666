// SPDX-License-Identifier: Apache-2.0
#include "api/device/artifact_links.hpp"

#include <optional>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;

std::string ArtifactLinks::signature(const std::string& sha256, const std::string& thing,
                                     const std::string& until) const {
  return base::to_hex(trust::hmac_sha256(key_, sha256 + "\n" + until + "\n" + thing));
}

std::string ArtifactLinks::query_for(const std::string& sha256, const std::string& thing,
                                     base::Timestamp now) const {
  const std::string until = std::to_string(base::to_epoch_millis(now + kLifetime));
  return "thing=" + base::percent_encode(thing) + "&until=" + until +
         "&signature=" + signature(sha256, thing, until);
}

std::string ArtifactLinks::holder_of(const wire::HttpRequest& request, const std::string& sha256,
                                     base::Timestamp now) const {
  const auto thing = request.query_value("thing");
  const auto until = request.query_value("until");
  const auto signature_given = request.query_value("signature");
  if (!thing || !until || !signature_given) {
    throw Error(ErrorCode::permission_denied,
                "this needs the device's client certificate, or a link that was made for it");
  }
  if (!trust::equal_in_constant_time(*signature_given, signature(sha256, *thing, *until))) {
    throw Error(ErrorCode::permission_denied, "the link was not made here, or for something else");
  }
  const auto millis = base::parse_int64(*until);
  if (!millis || base::to_epoch_millis(now) > *millis) {
    throw Error(ErrorCode::permission_denied, "the link is over: ask for a new one");
  }
  return *thing;
}

}  // namespace andon::api

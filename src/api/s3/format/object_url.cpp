// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/object_url.hpp"

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;

ObjectPlace parse_object_url(const std::string& url, std::string_view member) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) {
    throw Error(ErrorCode::invalid_argument, std::string(member) + ": is no URL of an object");
  }
  std::string rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('?'));
  if (!url.starts_with("s3://")) {
    const std::size_t slash = rest.find('/');
    const std::string host = rest.substr(0, slash);
    const std::size_t s3 = host.find(".s3");
    const std::string path = slash == std::string::npos ? "" : rest.substr(slash + 1);
    rest = s3 != std::string::npos && !host.starts_with("s3.") ? host.substr(0, s3) + "/" + path
                                                               : path;
  }
  const std::size_t slash = rest.find('/');
  const auto key = base::percent_decode(slash == std::string::npos ? "" : rest.substr(slash + 1));
  if (!key || key->empty()) {
    throw Error(ErrorCode::invalid_argument, std::string(member) + ": names no object");
  }
  return {rest.substr(0, slash), *key};
}

}  // namespace andon::api

// SPDX-License-Identifier: Apache-2.0
// For tests of the API: an object store, access keys, and requests as a client signs them, without
// a socket between.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/s3/s3.hpp"
#include "api/table/authenticator.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/identity/access_keys.hpp"
#include "store/objects/object_store.hpp"
#include "trust/digests/digest.hpp"
#include "wire/aws/sigv4.hpp"

namespace andon::api {

struct RequestForTest {
  std::string method = "GET";
  std::string target = "/";
  std::string body = {};
  wire::Headers headers = {};
  std::string service = "s3";
  std::string payload_sha256 = {};  // empty: of the body
  std::string host = "127.0.0.1:8080";
};

inline wire::HttpRequest received(const RequestForTest& request, wire::Headers headers) {
  const auto target = wire::split_target(request.target);
  wire::HttpRequest received{.method = request.method,
                             .target = request.target,
                             .path = std::string(target->path),
                             .query = *wire::parse_query(target->query),
                             .headers = std::move(headers),
                             .body = wire::Body(request.body),
                             .peer_address = "127.0.0.1:50000"};
  return received;
}

inline wire::HttpRequest signed_request(const RequestForTest& request,
                                        const control::AccessKey& key, base::Timestamp now) {
  const std::string digest =
      request.payload_sha256.empty() ? trust::sha256_hex(request.body) : request.payload_sha256;
  wire::Headers headers =
      wire::sign({request.method, request.host, request.target, request.headers, digest},
                 {key.id, key.secret, key.session_token}, {"us-east-1", request.service}, now);
  return received(request, std::move(headers));
}

inline std::string text_of(const wire::HttpResponse& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  const auto& part = std::get<wire::FileBody>(response.body);
  return base::read_file("/proc/self/fd/" + std::to_string(part.file.get()))
      .substr(part.offset, part.size);
}

inline std::string header_of(const wire::HttpResponse& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or("(none)"));
}

class ApiTest : public testing::Test {
 protected:
  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  store::ObjectStore objects{*database, directory.path() / "objects", clock};
  control::AccessKeys keys{*database, clock};
  control::AccessKey operator_key = keys.create("operator");
  Authenticator authenticator{keys, clock};
  S3Service s3{objects, authenticator, clock, {}};
};

}  // namespace andon::api

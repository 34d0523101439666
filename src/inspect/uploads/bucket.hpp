// SPDX-License-Identifier: Apache-2.0
// Where uploads go: a bucket behind the S3 API, with temporary credentials that the agent serves
// to its components. Belongs to one thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "wire/aws/sigv4.hpp"
#include "wire/http/http_client.hpp"

namespace andon::inspect {

class Bucket {
 public:
  Bucket() = default;
  Bucket(const Bucket&) = delete;
  Bucket& operator=(const Bucket&) = delete;
  virtual ~Bucket() = default;

  // Throws where it did not arrive; putting the same again is harmless.
  virtual void put(const std::string& bucket, const std::string& key, std::string_view content,
                   std::string_view content_type) = 0;
};

struct S3Options {
  std::string endpoint;             // AWS_ENDPOINT_URL_S3: https://host:port
  std::string region;               // AWS_REGION
  std::string ca_file;              // AWS_CA_BUNDLE
  std::string credentials_url;      // AWS_CONTAINER_CREDENTIALS_FULL_URI
  std::string authorization_token;  // AWS_CONTAINER_AUTHORIZATION_TOKEN
};
// Nothing where the environment names no endpoint or no credentials: uploads are then off.
[[nodiscard]] std::optional<S3Options> s3_options_from_environment();

class S3Bucket final : public Bucket {
 public:
  S3Bucket(S3Options options, const base::Clock& clock);

  void put(const std::string& bucket, const std::string& key, std::string_view content,
           std::string_view content_type) override;

 private:
  // From the agent, kept until five minutes before they expire.
  const wire::Credentials& credentials();

  S3Options options_;
  std::string host_;
  const base::Clock& clock_;
  wire::HttpClient http_;
  wire::HttpClient agent_http_;
  std::optional<wire::Credentials> credentials_;
  base::Timestamp credentials_end_{};
};

}  // namespace andon::inspect

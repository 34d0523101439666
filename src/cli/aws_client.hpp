// SPDX-License-Identifier: Apache-2.0
// Calls andon-server's operator API as any AWS SDK does: signed with SigV4, one method for each
// protocol. One thread. AWS errors become base::Error with the server's own code and message.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "wire/http_client.hpp"
#include "wire/sigv4.hpp"

namespace andon::cli {

// Where a server is and the operator's key for it.
struct Connection {
  std::string api_url;  // http://127.0.0.1:8080
  std::string ca_file;  // for https; empty: the system's store
  std::string region;
  wire::Credentials credentials;
};

// The connection of the server whose data directory this is: <data>/server.json and
// <data>/credentials/operator.json.
[[nodiscard]] Connection read_connection(const base::fs::path& data);

using UploadProgress = std::function<void(std::uint64_t sent, std::uint64_t total)>;

class AwsClient {
 public:
  explicit AwsClient(Connection connection, const base::Clock& clock);

  // A rest-json operation ("greengrass", "POST", "/greengrass/v2/deployments", {...}).
  base::json::value rest(std::string_view service, std::string_view method, std::string_view target,
                         const base::json::value& body = nullptr);
  // An aws-json-1.1 operation of SageMaker ("CreateModelPackage", {...}).
  base::json::value sagemaker(std::string_view operation, const base::json::value& input);

  void create_bucket(std::string_view bucket);  // fine where the operator has it already
  void put_object(std::string_view bucket, std::string_view key, const base::fs::path& file,
                  const UploadProgress& on_progress);

 private:
  wire::IncomingResponse send(wire::OutgoingRequest request, std::string_view service,
                              std::string_view target, std::string_view payload_sha256);

  Connection connection_;
  const base::Clock& clock_;
  wire::HttpClient http_;
};

}  // namespace andon::cli

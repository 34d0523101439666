// SPDX-License-Identifier: Apache-2.0
// Calls andon-server's operator API as any AWS SDK does: signed with SigV4, one method for each
// protocol. One thread. AWS errors become base::Error with the server's own code and
// message; what is there already is already_exists, whatever service says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "wire/aws/sigv4.hpp"
#include "wire/http/http_client.hpp"

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
// Where --data says nothing: data/ here, or, where there is none, that of the installed server.
[[nodiscard]] base::fs::path default_data_directory();

using FormMembers = std::map<std::string, std::string>;
struct FunctionAnswer {
  std::string payload;
  std::string log;  // its end
  bool is_error = false;
};
using UploadProgress = std::function<void(std::uint64_t sent, std::uint64_t total)>;

class AwsClient {
 public:
  explicit AwsClient(Connection connection, const base::Clock& clock);

  // A rest-json operation ("greengrass", "POST", "/greengrass/v2/deployments", {...}); `headers`
  // are those of its members that its model puts there.
  base::json::value rest(std::string_view service, std::string_view method, std::string_view target,
                         const base::json::value& body = nullptr, wire::Headers headers = {});
  // An aws-json-1.1 operation of SageMaker ("CreateModelPackage", {...}).
  base::json::value sagemaker(std::string_view operation, const base::json::value& input);
  // An aws-json-1.0 operation of Step Functions ("StartExecution", {...}).
  base::json::value states(std::string_view operation, const base::json::value& input);
  // An aws-json-1.1 operation of CloudWatch Logs ("FilterLogEvents", {...}).
  base::json::value logs(std::string_view operation, const base::json::value& input);
  // An aws-json-1.1 operation of EventBridge ("PutRule", {...}).
  base::json::value events(std::string_view operation, const base::json::value& input);
  // An operation of the query protocol ("iam", "2010-05-08", "CreateUser", {{"UserName", "eva"}}):
  // what its Result has, as JSON.
  base::json::value query(std::string_view service, std::string_view version,
                          std::string_view operation, const FormMembers& members);
  // Invoke of Lambda, at "/2015-03-31/functions/f/invocations". As an event: nothing is answered.
  FunctionAnswer invoke(std::string_view target, const std::string& payload, bool is_event);
  [[nodiscard]] const Connection& connection() const { return connection_; }

  void create_bucket(std::string_view bucket);  // fine where the operator has it already
  [[nodiscard]] bool has_object(std::string_view bucket, std::string_view key);
  // Its bytes. not_found; resource_exhausted for more than `most_bytes`.
  [[nodiscard]] std::string get_object(std::string_view bucket, std::string_view key,
                                       std::size_t most_bytes);
  void put_object(std::string_view bucket, std::string_view key, const base::fs::path& file,
                  const UploadProgress& on_progress);

 private:
  struct JsonProtocol {
    std::string_view service;
    std::string_view target;   // before the operation's name in X-Amz-Target
    std::string_view version;  // "1.1"
  };
  base::json::value call(const JsonProtocol& protocol, std::string_view operation,
                         const base::json::value& input);
  wire::IncomingResponse send(wire::OutgoingRequest request, std::string_view service,
                              std::string_view target, std::string_view payload_sha256);
  wire::IncomingResponse send(wire::HttpClient& http, wire::OutgoingRequest request,
                              std::string_view service, std::string_view target,
                              std::string_view payload_sha256) const;

  Connection connection_;
  const base::Clock& clock_;
  wire::HttpClient http_;
};

}  // namespace andon::cli

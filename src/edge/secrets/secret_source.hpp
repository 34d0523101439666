// SPDX-License-Identifier: Apache-2.0
// Secrets as the server has them: GetSecretValue of AWS Secrets Manager, over HTTPS at the device
// plane with the device's certificate, signed with the credentials of its role. Holds no state that
// a crash could lose; one thread at a time, which it keeps waiting.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/layout.hpp"
#include "edge/streams/exports/export_target.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {

struct SecretVersion {
  std::string arn;
  std::string name;
  std::string id;
  std::vector<std::string> stages;
  std::string value;  // JSON: {"secretString": ...} or {"secretBinary": base64}, as IPC has it
};

class SecretSource {
 public:
  // `device` outlives it.
  SecretSource(const DeviceConfig& device, const Layout& layout,
               std::shared_ptr<ExportCredentials> credentials);

  // `id`: a name or an ARN; `now`: by the server's clock. Throws not_found where the server has no
  // such secret or no version of that stage, permission_denied where it does not give it to this
  // device, unavailable and deadline_exceeded for what may pass.
  [[nodiscard]] SecretVersion get(const std::string& id, const std::string& stage,
                                  base::Timestamp now);

 private:
  const DeviceConfig& device_;
  std::shared_ptr<ExportCredentials> credentials_;
  wire::HttpClient client_;
};

// The server's answer. Throws data_corrupted for one that is none. Pure.
[[nodiscard]] SecretVersion read_secret_answer(std::string_view body);

}  // namespace andon::edge

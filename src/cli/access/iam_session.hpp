// SPDX-License-Identifier: Apache-2.0
// The IAM of the chosen server, as the commands of this room call it. One thread.
#pragma once

#include <string_view>

#include "base/json/json.hpp"
#include "cli/terminal/server_choice.hpp"

namespace andon::cli {

class IamSession {
 public:
  explicit IamSession(const ServerChoice& server) : server_(server) {}
  AwsClient* operator->() { return &*server_; }
  base::json::value iam(std::string_view operation, const FormMembers& members);
  // Every page of a list.
  base::json::array list(std::string_view operation, std::string_view member, FormMembers members);

 private:
  ServerClient server_;
};

}  // namespace andon::cli

// SPDX-License-Identifier: Apache-2.0
// The operations of Lambda (service "lambda", model 2015-03-31): functions, their code and
// configuration, calls, versions, aliases, tags, concurrency, handling of events, permissions. Rows
// for the operation table; all that they are given must outlive them.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/iam/iam.hpp"
#include "control/shared/tags.hpp"
#include "functions/functions.hpp"

namespace andon::api {

// What stands for a container image here: a directory, and what is run of it.
struct FunctionImage {
  std::string image;  // as Code.ImageUri has it; without a tag: of any
  std::filesystem::path directory;
  std::string runtime;  // python3.N, or provided.al2023 for an executable `bootstrap`
  std::string handler;
};

// The mapping file of andon-server --function-images. Plain values.
class FunctionImages {
 public:
  FunctionImages() = default;
  // YAML or JSON: {"images": [{"image", "directory", "handler", "runtime"}]}. Throws
  // invalid_argument naming what is wrong and where.
  static FunctionImages parse(std::string_view text, std::string_view file);

  // Null where there is none.
  [[nodiscard]] const FunctionImage* find(std::string_view uri) const;

 private:
  std::vector<FunctionImage> images_;
};

struct LambdaParts {
  functions::Functions& functions;
  const control::Iam& iam;
  const Authorizer* authorizer = nullptr;  // null: nobody is asked whether a role may be passed
  control::Tags tags;
  // The URL at which a function's package can be had for a while.
  std::function<std::string(const std::string& bucket, const std::string& key)> presign;
  std::size_t most_at_once = 64;  // calls, of all functions
  FunctionImages images = {};
};

[[nodiscard]] std::vector<Operation> lambda_operations(LambdaParts parts);

// What its caller is told where a call was not run: throttled, or refused by the server. Null where
// it was.
[[nodiscard]] std::exception_ptr invocation_failure(const functions::CallEnd& end);

}  // namespace andon::api

// SPDX-License-Identifier: Apache-2.0
// Where distributed Maps read their items and write their results: objects, behind one interface
// that the program hands in. Called on threads of the engine; may take its time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "query/document/data.hpp"

namespace andon::workflow {

namespace json = base::json;

// For whom objects are read and written, as in TaskRequest.
struct ForExecution {
  std::string execution_arn;
  std::string machine_arn;
  std::string role_arn;
};

struct ItemsRequest {
  ForExecution by;
  std::string resource;  // "arn:aws:states:::s3:getObject"
  asl::Data parameters;
  json::object config;
  std::optional<std::int64_t> max_items;
};

struct ResultsRequest {
  ForExecution by;
  std::string map_run;
  std::string resource;
  asl::Data parameters;
  json::object config;
};

class MapStore {
 public:
  MapStore() = default;
  MapStore(const MapStore&) = delete;
  MapStore& operator=(const MapStore&) = delete;
  virtual ~MapStore() = default;

  // A part of the items.
  struct Items {
    asl::Data items;
    std::string source;  // for $$.Map.Item.Source
    bool more = false;   // this is not the last part
  };
  // Calls `take` with each part in turn; it returns when the part is stored. What is thrown becomes
  // the cause of States.ItemReaderFailed.
  using Take = std::function<void(Items)>;
  virtual void read(const ItemsRequest& request, const Take& take) = 0;
  // `each` hands on what is told of each child: {"ExecutionArn", "Status", "Output" | "Error",
  // "Cause", ...}. Gives {"Bucket", "Key"}. What is thrown becomes the cause of
  // States.ResultWriterFailed. A repetition after a crash writes the same.
  using Each = std::function<void(const std::function<void(const json::object&)>&)>;
  [[nodiscard]] virtual json::value write(const ResultsRequest& request, const Each& each) = 0;
};

}  // namespace andon::workflow

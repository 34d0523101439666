// SPDX-License-Identifier: Apache-2.0
// The feature store, put together: groups and records, their export, queries over it; the
// operations of SageMaker's feature store, Glue and Athena.
#pragma once

#include <vector>

#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "features/features.hpp"

namespace andon::server {

class FeatureService {
 public:
  struct Parts {
    store::Database& database;  // of the features
    base::fs::path file;        // that it is in
    store::Database& tags;
    store::ObjectStore& objects;
    const api::InternalCalls& calls;
    const api::Authorizer& authorizer;
    const base::Clock& clock;
    fleet::Arns arns;
    features::RecordLimits limits;
    std::chrono::seconds export_after;
    std::chrono::seconds query_time;
    base::fs::path queries;  // the directory of their results
  };
  // All that is referred to outlives this.
  explicit FeatureService(const Parts& parts);

  [[nodiscard]] features::Features& features() { return features_; }
  [[nodiscard]] std::vector<api::Operation> operations();

 private:
  Parts parts_;
  features::Features features_;
};

}  // namespace andon::server

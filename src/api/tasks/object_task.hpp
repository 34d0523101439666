// SPDX-License-Identifier: Apache-2.0
// Objects for state machines: arn:aws:states:::aws-sdk:s3:ACTION, the items that distributed Maps
// read and the results that they write. Over the object store itself, without HTTP.
#pragma once

#include "api/tasks/task_roles.hpp"
#include "store/objects/object_store.hpp"
#include "workflow/tasks/integration.hpp"
#include "workflow/tasks/items.hpp"

namespace andon::api {

// getObject, putObject, headObject, deleteObject, copyObject, listObjectsV2.
class ObjectTask final : public workflow::Integration {
 public:
  ObjectTask(store::ObjectStore& objects, const TaskRoles& roles)
      : objects_(objects), roles_(roles) {}

  [[nodiscard]] bool has(const asl::Resource& resource) const override;
  void start(const workflow::TaskRequest& task, const workflow::TaskReply& reply) override;

 private:
  store::ObjectStore& objects_;
  const TaskRoles& roles_;
};

class ObjectMapStore final : public workflow::MapStore {
 public:
  ObjectMapStore(store::ObjectStore& objects, const TaskRoles& roles)
      : objects_(objects), roles_(roles) {}

  void read(const workflow::ItemsRequest& request, const Take& take) override;
  [[nodiscard]] base::json::value write(const workflow::ResultsRequest& request,
                                        const Each& each) override;

 private:
  void read_lines(const workflow::ItemsRequest& request, store::OpenObject& object,
                  const std::string& source, const Take& take);
  // The items of each object that the manifest in `object` names.
  void read_manifest(const workflow::ItemsRequest& request, const Caller& caller,
                     store::OpenObject& object, const std::string& source, const Take& take);
  void read_listing(const workflow::ItemsRequest& request, const Take& take);

  store::ObjectStore& objects_;
  const TaskRoles& roles_;
};

}  // namespace andon::api
